#include "tests/golden/golden.h"

#include "tests/support/memory_pipeline.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace ftpsensor::test {

namespace {

using nlohmann::json;

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
class Pipeline {
public:
    Pipeline(const Reading& how, std::size_t workers, bool by_ports)
        : pipeline_(options(how, workers, by_ports), [this](LogKind log, std::string_view text) { line(log, text); }) {}

    void run(const std::vector<PacketView>& packets) {
        pipeline_.process(packets);
        pipeline_.finish(packets.empty() ? 0 : packets.back().now);
        if (pipeline_.held() != 0) throw std::logic_error("records are left that no watermark released");
    }

    const std::string& text() const { return text_; }
    Logs logs() const {
        Logs logs = logs_;
        for (std::size_t i = 0; i < kEventCount; ++i) logs.events_[i] = pipeline_.count(static_cast<Event>(i));
        return logs;
    }

private:
    static MemoryPipelineOptions options(const Reading& how, std::size_t workers, bool by_ports) {
        MemoryPipelineOptions options = small_pipeline(how.extended);
        options.pipeline.decode.checksums = options.pipeline.conn.checksums = how.checksums;
        options.pipeline.ftp_only = how.ftp_only;
        options.pipeline.conn.interims = {how.interim, how.interims_max};
        options.pipeline.conn.tcp.reset_delay = how.reset_delay;
        options.workers = workers;
        options.by_ports = by_ports;
        options.types_known = how.types_known;
        options.pipeline.first_bytes_max = how.first_bytes_max;
        options.pipeline.conn.connections_max = how.connections_max;
        return options;
    }

    void line(LogKind log, std::string_view text) {
        text_ += text;
        const json parsed = json::parse(text);
        if (parsed.at("_path") != log_path(log)) throw std::logic_error("a line of another log");
        std::map<std::string, std::string, std::less<>> fields;
        for (const auto& [name, value] : parsed.items()) fields.emplace(name, value_text(name, value));
        logs_.logs_[std::string(log_path(log))].emplace_back(std::move(fields));
    }

    MemoryPipeline pipeline_;
    Logs logs_;
    std::string text_;
};

namespace {

// For tests of the program itself and for other programs: the captures that these tests read, one a file that is named
// after its test.
void leave_capture(const Trace& trace, LinkType link) {
    const char* const folder = std::getenv("FTPSENSOR_TEST_CAPTURES");
    if (folder == nullptr) return;
    static unsigned count = 0;
    std::string name = Catch::getResultCapture().getCurrentTestName();
    for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '-';
    name += "-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".pcap";
    trace.save(std::string(folder) + "/" + name, {.format = CaptureFormat::pcap_nano, .link = link});
}

} // namespace

Logs read(const Trace& trace, const Reading& how) {
    leave_capture(trace, how.link);
    const auto packets = trace.views(how.link);
    Pipeline first(how, std::max<std::size_t>(how.workers, 1), false);
    first.run(packets);
    if (how.workers != 0) return first.logs();
    for (const bool by_ports : {false, true}) {
        Pipeline other(how, 3, by_ports);
        other.run(packets);
        if (other.text() != first.text())
            throw std::logic_error("other logs by three workers:\n" + first.text() + "and\n" + other.text());
    }
    return first.logs();
}

} // namespace ftpsensor::test
