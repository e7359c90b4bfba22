#include "tests/support/memory_pipeline.h"

#include <algorithm>

namespace ftpsensor::test {

namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::size_t kBurst = 32;

// Where a packet goes: a worker by its addresses, or by its ports as well where it has some.
std::size_t worker_of(Distribution& distribution, const PacketView& packet, bool by_ports, std::size_t workers) {
    std::uint32_t hash = distribution.hash(packet);
    if (by_ports) {
        EventCounters events;
        Decoder decoder({.fragment_bytes_max = 1u << 16, .fragment_datagrams_max = 1}, events); // puts nothing together
        DecodedPacket decoded;
        decoder.decode(packet, decoded);
        if (decoded.layer_count != 0) hash += decoded.layers[0].source_port + decoded.layers[0].destination_port;
    }
    return hash % workers;
}

} // namespace

MemoryPipelineOptions small_pipeline(bool extended) {
    MemoryPipelineOptions options;
    options.pipeline.conn.connections_max = 4096;
    options.pipeline.emitter.queue_records = 256;
    options.pipeline.emitter.text_bytes = 1u << 20;
    options.pipeline.decode.fragment_datagrams_max = 64;
    options.pipeline.extended = options.pipeline.ftp.extended = extended;
    options.entries.format.timestamps = TimestampFormat::epoch;
    options.entries.format.extended = options.entries.transfers.extended = extended;
    options.entries.local_networks = {*IpNetwork::parse("10.0.0.0/8")};
    return options;
}

MemoryPipeline::MemoryPipeline(const MemoryPipelineOptions& given, LineHook lines)
    : by_ports_(given.by_ports), lines_(std::move(lines)), shared_(given.workers, given.board_slots),
      types_(given.types_known), merge_(IdKey::from_seed(kSeed)),
      builder_(
          [&] {
              EntryOptions entries = given.entries;
              entries.transfers.id_key = IdKey::from_seed(kSeed);
              return entries;
          }(),
          types_, *this, events_) {
    interims_before_ = given.pipeline.conn.interims.interval != 0;
    PipelineOptions options = given.pipeline;
    options.conn.id_key = IdKey::from_seed(kSeed);
    options.emitter.wait_when_full = true;
    options.emitter.wait = [this] { let_others_run(); };
    busy_.resize(given.workers);
    for (std::size_t i = 0; i < given.workers; ++i) workers_.push_back(std::make_unique<Worker>(i, options, shared_));
}

void MemoryPipeline::process(std::span<const PacketView> packets) {
    for (std::size_t i = 0; i < packets.size();) {
        const std::size_t n = workers_.size() == 1 ? std::min(kBurst, packets.size() - i) : 1;
        now_ = packets[i].now;
        const std::size_t worker =
            workers_.size() == 1 ? 0 : worker_of(distribution_, packets[i], by_ports_, workers_.size());
        run(worker, [&](Worker& w) { w.process_burst(packets.subspan(i, n)); });
        i += n;
        idle(packets[i - 1].now);
    }
}

void MemoryPipeline::idle(Timestamp now) {
    for (std::size_t i = 0; i < workers_.size(); ++i) run(i, [now](Worker& w) { w.idle(now); });
    release();
}

void MemoryPipeline::finish(Timestamp end) {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        run(i, [&](Worker& w) { w.finish(end); });
        busy_[i] = true;
    }
    release();
}

std::uint64_t MemoryPipeline::count(Event event) const {
    std::uint64_t sum = events_.value(event);
    for (const auto& w : workers_) sum += w->events().value(event);
    return sum;
}

std::uint64_t MemoryPipeline::AskedTypes::submit(std::string_view first_bytes, MimeStage stage) {
    const std::string_view name = stage == MimeStage::transferred ? "transferred/" : "sniffed/";
    answers_[next_ticket_] =
        known_ && !first_bytes.empty() ? std::string(name) + std::to_string(first_bytes.size()) : std::string();
    return next_ticket_++;
}

std::string_view MemoryPipeline::AskedTypes::take(std::uint64_t ticket) {
    const auto answer = answers_.find(ticket);
    taken_ = std::move(answer->second);
    answers_.erase(answer);
    return taken_;
}

bool MemoryPipeline::drain() {
    bool any = false;
    for (auto& worker : workers_) {
        worker->emitter().conn_channel().drain([&](const ConnRecord& r, std::string_view text) {
            merge_.add(r, text);
            any = true;
        });
        worker->emitter().ftp_channel().drain([&](const FtpRecord& r, std::string_view text) {
            const bool typed = r.kind == FtpRecordKind::data_typed;
            merge_.add(r, text, typed ? types_.submit(text, r.mime_stage) : 0);
            any = true;
        });
    }
    return any;
}

template <class F>
void MemoryPipeline::run(std::size_t worker, F&& f) {
    busy_[worker] = true;
    f(*workers_[worker]);
    busy_[worker] = false;
}

// A worker waits: for room in its channels, which it has now, or for the slowest reader of the board.
void MemoryPipeline::let_others_run() {
    if (drain()) return;
    for (std::size_t i = 0; i < workers_.size(); ++i)
        if (!busy_[i]) run(i, [this](Worker& w) { w.idle(now_); });
}

void MemoryPipeline::reload(const PipelineOptions& pipeline, const EntryOptions& entries) {
    const bool interims = pipeline.conn.interims.interval != 0;
    for (auto& worker : workers_) {
        PipelineUpdate update(pipeline, interims && !interims_before_);
        worker->take(update);
    }
    interims_before_ = interims_before_ || interims;
    builder_.adopt(entries);
}

// Every worker has just read what was announced: see Engine's release_bound().
void MemoryPipeline::release() {
    const Timestamp bound = shared_.lowest_watermark();
    drain();
    if (bound == released_ && !merge_.has_due()) return; // as the Engine: a look at all that is held costs
    released_ = bound;
    merge_.release(bound, builder_);
}

void MemoryPipeline::line(LogKind log, std::string_view text, Timestamp write_ts) {
    in_order_ = in_order_ && write_ts >= written_;
    written_ = write_ts;
    lines_(log, text);
}

} // namespace ftpsensor::test
