#include "tests/sim/schedule.h"

#include "core/log/entry_builder.h"
#include "core/log/record_merge.h"
#include "core/pipeline/release_bound.h"
#include "core/pipeline/worker.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace ftpsensor::test {

namespace {

constexpr std::uint64_t kSeed = 1; // of ids
constexpr std::uint64_t kActsMax = 10'000'000;
constexpr Duration kTick = 50 * kMillisecond; // an idle worker looks at the clock at least that often
constexpr Duration kShortestSilence = 2 * kMinute, kLongestSilence = 2 * kHour; // that reloads ask for

// Stands in for the file typer: says what it was asked.
class AskedTypes final : public TypeSource {
public:
    std::uint64_t submit(std::string_view first_bytes, MimeStage stage) override {
        answers_.push_back((stage == MimeStage::transferred ? "transferred/" : "sniffed/") +
                           std::to_string(first_bytes.size()));
        return answers_.size() - 1;
    }
    std::string_view take(std::uint64_t ticket) override { return answers_.at(ticket); }

private:
    std::vector<std::string> answers_;
};

class Schedule final : private LineSink {
    using Reloads = ScheduleOptions::Reloads;

public:
    Schedule(const World& world, const ScheduleOptions& options)
        : options_(options), random_(options.seed), reload_dice_(options.seed + 2), running_(pipeline_options()),
          shared_(options.workers), bound_(shared_, options.hold), merge_(IdKey::from_seed(kSeed)),
          builder_(entry_options(), types_, *this, events_), packets_(world.views()) {
        for (std::size_t i = 0; i < options.workers; ++i)
            lanes_.push_back({std::make_unique<Worker>(i, with_some_queue(running_), shared_)});
        std::vector<std::size_t> lane_of(world.connections.size());
        for (auto& lane : lane_of) lane = random_.below(options.workers);
        for (std::size_t i = 0; i < packets_.size(); ++i) {
            auto& packets = lanes_[lane_of[world.frames[i].connection]].packets;
            packets.push_back(i);
            if (options.hold) packets_[i].number = packets.size(); // each worker counts its own, as RxLoop does
        }
        finished_ = 0;
    }

    ScheduleResult run() {
        Random dice(options_.seed + 1);
        if (options_.lag_most >= kHour && dice.percent(50)) run_ahead(lanes_[dice.below(lanes_.size())]);
        for (std::uint64_t acts = 0; finished_ < lanes_.size(); ++acts) {
            if (acts == kActsMax) {
                result_.broken = "the workers do not come to an end";
                return std::move(result_);
            }
            if (random_.percent(10)) favourite_ = random_.below(lanes_.size());
            if (random_.percent(3)) stalled_ = random_.below(lanes_.size());
            if (options_.reloads != Reloads::none && reload_dice_.percent(1)) reload();
            act();
        }
        for (int i = 0; i < 3; ++i) log();
        if (merge_.held() != 0) result_.broken = "records are left that no watermark released";
        if (!options_.hold && merge_.late() != 0) result_.broken = "late records although the logger waited";
        result_.late = merge_.late();
        return std::move(result_);
    }

private:
    struct Lane { // a worker and what waits for it
        std::unique_ptr<Worker> worker;
        std::vector<std::size_t> packets = {};
        std::size_t next = 0; // of `packets`
        Timestamp time = INT64_MIN;
        bool finished = false;
        bool reload = false; // waits for it
    };

    PipelineOptions pipeline_options() {
        PipelineOptions options;
        options.conn.connections_max = 4096;
        options.conn.id_key = IdKey::from_seed(kSeed);
        options.decode.fragment_bytes_max = 1u << 16;
        options.decode.fragment_datagrams_max = 1;
        options.emitter.text_bytes = 1u << 20;
        options.emitter.wait_when_full = true;
        options.emitter.wait = [this] { drain_all(); };
        options.extended = options.ftp.extended = options_.extended;
        options.watches_max = 4096;
        return options;
    }
    PipelineOptions with_some_queue(PipelineOptions options) {
        options.emitter.queue_records = random_.percent(50) ? 64 : 4096;
        return options;
    }
    EntryOptions entry_options() const {
        EntryOptions options;
        options.format.timestamps = TimestampFormat::epoch;
        options.format.extended = options.transfers.extended = options_.extended;
        options.transfers.id_key = IdKey::from_seed(kSeed);
        return options;
    }

    void act() {
        if (random_.percent(25)) return log();
        if (given_out_ < packets_.size() && random_.percent(30)) return give_out();
        step(random_.percent(70) ? favourite_ : random_.below(lanes_.size()));
    }

    // One worker is minutes ahead of all others.
    void run_ahead(Lane& lane) {
        given_out_ = packets_.size();
        while (has_work(lane)) run(lane);
    }

    // The distributor, or the port: packets up to here are there. Live, time goes on between them.
    void give_out() {
        const std::size_t most = std::min(packets_.size(), given_out_ + random_.between(1, 64));
        for (; given_out_ < most; ++given_out_) {
            const Timestamp now = packets_[given_out_].now;
            if (options_.hold && given_out_ != 0)
                for (Timestamp t = packets_[given_out_ - 1].now + kTick; t < now; t += kTick) catch_up(t);
            catch_up(now);
        }
    }
    // No worker may be left further behind.
    void catch_up(Timestamp now) {
        const Timestamp floor = now - options_.lag_most;
        for (Lane& lane : lanes_) {
            while (given_out_ != 0 && lane.time < floor && has_work(lane)) run(lane);
            if (options_.hold && lane.time < floor) idle(lane, floor); // its time goes on with the clock
        }
    }
    bool has_work(const Lane& lane) const {
        const bool packets = lane.next < lane.packets.size() && lane.packets[lane.next] < given_out_;
        return packets || lane.time < packets_[given_out_ - 1].now;
    }

    void step(std::size_t number) {
        Lane& lane = lanes_[number];
        if (given_out_ == 0 || lane.finished || (number == stalled_ && random_.percent(95))) return;
        run(lane);
        if (given_out_ == packets_.size() && lane.next == lane.packets.size() && lane.time == packets_.back().now) {
            lane.worker->finish(lane.time);
            lane.finished = true;
            ++finished_;
            stalled_ = lanes_.size();
        }
    }

    void run(Lane& lane) {
        take_reload(lane);
        std::vector<PacketView> burst;
        const std::size_t most = random_.between(1, 32);
        while (burst.size() < most && lane.next < lane.packets.size() && lane.packets[lane.next] < given_out_)
            burst.push_back(packets_[lane.packets[lane.next++]]);
        if (burst.empty()) {
            idle(lane, packets_[given_out_ - 1].now);
        } else {
            lane.time = burst.back().now;
            lane.worker->process_burst(burst);
        }
    }

    void idle(Lane& lane, Timestamp time) {
        take_reload(lane);
        lane.time = std::max(lane.time, time);
        lane.worker->idle(lane.time);
    }

    void reload() {
        if (options_.reloads == Reloads::of_times) {
            auto& times = running_.conn.inactivity;
            times[Inactivity::tcp] = times[Inactivity::interactive] = times[Inactivity::ftp] =
                kShortestSilence + reload_dice_.up_to(kLongestSilence - kShortestSilence);
        }
        for (Lane& lane : lanes_) lane.reload = true;
        builder_.adopt(entry_options());
        if (options_.hold) bound_.set_hold(*options_.hold);
    }
    // Between two bursts, as in the Engine.
    void take_reload(Lane& lane) {
        if (!std::exchange(lane.reload, false)) return;
        PipelineUpdate update(running_);
        lane.worker->take(update);
    }

    // The logger's turn. Between any two of its steps the others go on.
    void log() {
        const Timestamp before = bound_.released();
        const Timestamp bound = bound_.next();
        if (bound < before) result_.broken = "the bound went back";
        if (options_.hold && bound != INT64_MAX && bound + *options_.hold < highest_mark())
            result_.broken = "a slow worker held the others back for longer than the hold";
        for (Lane& lane : lanes_) {
            meanwhile();
            drain(lane);
        }
        meanwhile();
        merge_.release(bound, builder_);
    }
    void meanwhile() {
        for (auto n = random_.below(3); n != 0; --n) step(random_.below(lanes_.size()));
    }
    Timestamp highest_mark() const {
        Timestamp highest = INT64_MIN;
        for (const auto& mark : shared_.watermarks)
            if (const Timestamp time = mark.time.load(); time != INT64_MAX) highest = std::max(highest, time);
        return highest;
    }

    void drain(Lane& lane) {
        lane.worker->emitter().conn_channel().drain(
            [this](const ConnRecord& r, std::string_view text) { merge_.add(r, text); });
        lane.worker->emitter().ftp_channel().drain([this](const FtpRecord& r, std::string_view text) {
            const bool typed = r.kind == FtpRecordKind::data_typed;
            merge_.add(r, text, typed ? types_.submit(text, r.mime_stage) : 0);
        });
    }
    void drain_all() {
        for (Lane& lane : lanes_) drain(lane);
    }
    void line(LogKind, std::string_view text, Timestamp) override { result_.text += text; }

    ScheduleOptions options_;
    Random random_;
    Random reload_dice_;
    PipelineOptions running_; // of the workers, but for their queues
    SharedState shared_;
    ReleaseBound bound_;
    EventCounters events_;
    AskedTypes types_;
    RecordMerge merge_;
    EntryBuilder builder_;
    std::vector<PacketView> packets_;
    std::vector<Lane> lanes_;
    std::size_t given_out_ = 0; // packets
    std::size_t favourite_ = 0; // works more often than others
    std::size_t stalled_ = 0;   // hardly works at all
    std::size_t finished_ = 0;
    ScheduleResult result_;
};

} // namespace

ScheduleResult run_schedule(const World& world, const ScheduleOptions& options) {
    return Schedule(world, options).run();
}

} // namespace ftpsensor::test
