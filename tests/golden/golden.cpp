#include "tests/golden/golden.h"

#include "core/log/entry_builder.h"
#include "core/log/record_merge.h"
#include "core/pipeline/worker.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace ftpsensor::test {

namespace {

using nlohmann::json;

constexpr std::uint64_t kSeed = 1;
constexpr std::size_t kBurst = 32;

std::string seconds_text(double seconds) {
    char text[40];
    const int size = std::snprintf(text, sizeof text, "%.6f", seconds);
    std::string s(text, static_cast<std::size_t>(size));
    s.erase(s.find_last_not_of('0') + 1);
    if (s.ends_with('.')) s.pop_back();
    return s;
}

std::string value_text(const std::string& name, const json& value) {
    constexpr auto start = static_cast<double>(Trace::kDefaultStart / kSecond);
    if (name == "ts" || name == "_write_ts") return seconds_text(value.get<double>() - start);
    if (name == "duration") return seconds_text(value.get<double>());
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_array()) return value.dump();
    std::string list;
    for (const json& item : value) list += (list.empty() ? "" : ",") + value_text({}, item);
    return list;
}

// Stands in for libmagic: says what it was asked.
class AskedTypes final : public TypeSource {
public:
    explicit AskedTypes(bool known) : known_(known) {}
    std::uint64_t submit(std::string_view first_bytes, MimeStage stage) override {
        const std::string_view name = stage == MimeStage::transferred ? "transferred/" : "sniffed/";
        answers_.push_back(known_ ? std::string(name) + std::to_string(first_bytes.size()) : std::string());
        return answers_.size() - 1;
    }
    std::string_view take(std::uint64_t ticket) override { return answers_.at(ticket); }

private:
    bool known_;
    std::vector<std::string> answers_;
};

// Where a packet goes: a worker by its addresses, or by its ports as well where it has some.
std::size_t worker_of(const PacketView& packet, bool by_ports, std::size_t workers) {
    std::uint32_t hash = distribution_hash(packet);
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

std::string Entry::operator[](std::string_view field) const {
    const auto found = fields_.find(field);
    return found == fields_.end() ? "-" : found->second;
}

std::vector<Entry> Logs::entries(std::string_view log, Where where) const {
    std::vector<Entry> found;
    const auto all = logs_.find(log);
    if (all == logs_.end()) return found;
    std::copy_if(all->second.begin(), all->second.end(), std::back_inserter(found), [&](const Entry& e) {
        return std::all_of(where.begin(), where.end(),
                           [&](const auto& field) { return e[field.first] == field.second; });
    });
    return found;
}

Entry Logs::entry(std::string_view log, Where where) const {
    const auto found = entries(log, where);
    if (found.size() != 1)
        throw std::logic_error("not one entry of " + std::string(log) + " but " + std::to_string(found.size()));
    return found.front();
}

std::string Logs::show(std::string_view log, std::string_view fields, Where where) const {
    std::string text;
    for (const Entry& e : entries(log, where)) {
        if (!text.empty()) text += " | ";
        std::istringstream names{std::string(fields)};
        std::string line;
        for (std::string name; names >> name;) line += (line.empty() ? "" : " ") + e[name];
        text += line;
    }
    return text;
}

// One reading, by a number of workers.
class Pipeline final : private LineSink {
public:
    Pipeline(const Reading& how, std::size_t workers, bool by_ports)
        : by_ports_(by_ports), shared_(workers), types_(how.types_known), merge_(IdKey::from_seed(kSeed)),
          builder_(entry_options(how), types_, *this, events_) {
        PipelineOptions options;
        options.decode.checksums = options.conn.checksums = how.checksums;
        options.conn.connections_max = 4096;
        options.conn.id_key = IdKey::from_seed(kSeed);
        options.emitter.queue_records = 256;
        options.emitter.text_bytes = 1u << 20;
        options.decode.fragment_datagrams_max = 64;
        options.emitter.wait_when_full = true;
        options.emitter.wait = [this] { drain(); };
        options.extended = how.extended;
        options.ftp_only = how.ftp_only;
        options.conn.interims = {how.interim, how.interims_max};
        for (std::size_t i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(i, options, shared_));
    }

    void run(const std::vector<PacketView>& packets) {
        for (std::size_t i = 0; i < packets.size();) {
            const std::size_t n = workers_.size() == 1 ? std::min(kBurst, packets.size() - i) : 1;
            const std::size_t worker = workers_.size() == 1 ? 0 : worker_of(packets[i], by_ports_, workers_.size());
            workers_[worker]->process_burst({packets.data() + i, n});
            i += n;
            for (auto& w : workers_) w->idle(packets[i - 1].now);
            release();
        }
        for (auto& w : workers_) w->finish(packets.empty() ? 0 : packets.back().now);
        release();
    }

    const std::string& text() const { return text_; }
    void check() const {
        if (merge_.held() != 0) throw std::logic_error("records are left that no watermark released");
    }
    Logs logs() const {
        Logs logs = logs_;
        for (std::size_t i = 0; i < kEventCount; ++i) {
            logs.events_[i] = events_.value(static_cast<Event>(i));
            for (const auto& w : workers_) logs.events_[i] += w->events().value(static_cast<Event>(i));
        }
        return logs;
    }

private:
    static EntryOptions entry_options(const Reading& how) {
        EntryOptions options;
        options.format.timestamps = TimestampFormat::epoch;
        options.format.extended = options.transfers.extended = how.extended;
        options.transfers.id_key = IdKey::from_seed(kSeed);
        options.ftp_only = how.ftp_only;
        options.local_networks = {*IpNetwork::parse("10.0.0.0/8")};
        return options;
    }

    void drain() {
        for (auto& worker : workers_) {
            worker->emitter().conn_channel().drain(
                [this](const ConnRecord& r, std::string_view text) { merge_.add(r, text); });
            worker->emitter().ftp_channel().drain([this](const FtpRecord& r, std::string_view text) {
                const bool typed = r.kind == FtpRecordKind::data_typed;
                merge_.add(r, text, typed ? types_.submit(text, r.mime_stage) : 0);
            });
        }
    }
    void release() { // every worker has just read what was announced: see Engine's release_bound()
        const Timestamp bound = shared_.lowest_watermark();
        drain();
        merge_.release(bound, builder_);
    }

    void line(LogKind log, std::string_view text, Timestamp) override {
        text_ += text;
        const json parsed = json::parse(text);
        if (parsed.at("_path") != log_path(log)) throw std::logic_error("a line of another log");
        std::map<std::string, std::string, std::less<>> fields;
        for (const auto& [name, value] : parsed.items()) fields.emplace(name, value_text(name, value));
        logs_.logs_[std::string(log_path(log))].emplace_back(std::move(fields));
    }

    bool by_ports_;
    SharedState shared_;
    EventCounters events_;
    AskedTypes types_;
    RecordMerge merge_;
    EntryBuilder builder_;
    std::vector<std::unique_ptr<Worker>> workers_;
    Logs logs_;
    std::string text_;
};

// For tests of the program itself (tests/workers.py): the captures that these tests read, one a file.
void leave_capture(const Trace& trace, LinkType link) {
    const char* const folder = std::getenv("FTPSENSOR_TEST_CAPTURES");
    if (folder == nullptr) return;
    static unsigned count = 0;
    const std::string name = std::to_string(::getpid()) + "-" + std::to_string(count++) + ".pcap";
    trace.save(std::string(folder) + "/" + name, {.format = CaptureFormat::pcap_nano, .link = link});
}

Logs read(const Trace& trace, const Reading& how) {
    leave_capture(trace, how.link);
    const auto packets = trace.views(how.link);
    Pipeline first(how, std::max<std::size_t>(how.workers, 1), false);
    first.run(packets);
    first.check();
    if (how.workers != 0) return first.logs();
    for (const bool by_ports : {false, true}) {
        Pipeline other(how, 3, by_ports);
        other.run(packets);
        other.check();
        if (other.text() != first.text())
            throw std::logic_error("other logs by three workers:\n" + first.text() + "and\n" + other.text());
    }
    return first.logs();
}

} // namespace ftpsensor::test
