// Fuzzes the lines of both logs: whatever an entry's strings and numbers hold, it is one line, JSON that another parser
// reads back, and the tab-separated form has the columns of its header and no byte that a terminal obeys.
//
// An input: which strings there are and their bytes, then numbers. Strings come from the wire and may hold anything.
#include "core/log/format.h"
#include "tests/fuzz/fuzz_input.h"

#include <set>

#include <nlohmann/json.hpp>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;
using nlohmann::json;

constexpr std::size_t kStringMax = 20'000; // a path and a message are 8 KiB, what a reload brings may be more

std::string hex_escaped(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        const bool stays =
            (byte >= 32 && byte < 127) || std::string_view("\b\f\n\r\t").find(c) != std::string_view::npos;
        char hex[5];
        std::snprintf(hex, sizeof hex, "\\x%02x", byte);
        escaped += stays ? std::string(1, c) : std::string(hex);
    }
    return escaped;
}

struct Strings { // of an entry, by the name of their field
    std::map<std::string, std::string> values;

    std::optional<std::string_view> read(FuzzInput& input, const char* name) {
        if (!input.flag()) return {};
        return values[name] = input.bytes(input.u16() % kStringMax);
    }
};

IpAddress read_address(FuzzInput& input) {
    IpAddress address;
    const std::string_view bytes = input.bytes(16);
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
    return address;
}

EndpointId read_id(FuzzInput& input) {
    EndpointId id;
    id.orig_h = read_address(input);
    id.orig_p = input.u16();
    id.resp_h = read_address(input);
    id.resp_p = input.u16();
    return id;
}

Timestamp read_time(FuzzInput& input) { // what a capture can stamp: see CaptureReader
    return static_cast<Timestamp>(input.u64() % (std::uint64_t{1} << 33)) * kSecond + input.u32() % kSecond;
}

FtpEntry read_ftp(FuzzInput& input, Strings& strings) {
    FtpEntry e;
    e.user = strings.read(input, "user").value_or("<unknown>");
    e.password = strings.read(input, "password");
    e.command = strings.read(input, "command");
    e.arg = strings.read(input, "arg");
    e.mime_type = strings.read(input, "mime_type");
    e.reply_msg = strings.read(input, "reply_msg");
    if (input.flag()) e.file_size = input.u64();
    if (input.flag()) e.reply_code = input.u32();
    if (input.flag()) e.data_channel = DataChannel{input.flag(), read_address(input), read_address(input), input.u16()};
    if (input.flag()) e.data_bytes = input.u64();
    if (input.flag()) e.data_complete = input.flag();
    e.fuid = input.flag() ? std::optional<Id96>(Id96{input.u32(), input.u64()}) : std::nullopt;
    e.write_ts = read_time(input);
    e.ts = read_time(input);
    e.id = read_id(input);
    return e;
}

ConnEntry read_conn(FuzzInput& input, Strings& strings) {
    ConnEntry e;
    if (const auto history = strings.read(input, "history"); history && !history->empty())
        e.history = *history;
    else
        strings.values.clear(); // an empty one is no field
    e.write_ts = read_time(input);
    e.ts = read_time(input);
    e.id = read_id(input);
    e.proto = static_cast<Transport>(input.u8() & 3);
    e.services = input.u8() & 15;
    if (input.flag()) e.duration = static_cast<double>(static_cast<std::int64_t>(input.u64())) / 1e9;
    if (input.flag()) e.orig_bytes = input.u64();
    e.state = static_cast<ConnState>(input.u8() % 13);
    e.missed_bytes = input.u64();
    e.orig_pkts = input.u64();
    e.ip_proto = input.u8();
    if (input.flag()) e.local_orig = input.flag();
    return e;
}

template <class Entry>
void check_json(Formatter& formatter, const Entry& entry, const Strings& strings) {
    TextBuffer buffer;
    formatter.append(entry, buffer);
    const std::string_view line = buffer.text();
    require(line.ends_with('\n'), "a line ends");
    for (const char c : line.substr(0, line.size() - 1))
        require(static_cast<std::uint8_t>(c) >= 32 && c != 127, "one line without control characters");
    const json parsed = json::parse(line); // throws where it is none; UTF-8 is checked too
    for (const auto& [name, value] : strings.values) {
        const std::string got = parsed.at(name).get<std::string>();
        require(got == value || got == hex_escaped(value), "the string itself, or escaped as the reference does");
    }
    std::set<std::string> names;
    const json again = json::parse(line, [&](int depth, json::parse_event_t event, json& key) {
        if (event == json::parse_event_t::key && depth == 1)
            require(names.insert(key.get<std::string>()).second, "no field twice");
        return true;
    });
    require(again == parsed, "as many fields");
}

template <class Entry>
void check_tsv(Formatter& formatter, const Entry& entry, LogKind log) {
    TextBuffer buffer;
    formatter.append_header(log, 0, buffer);
    const std::string header(buffer.text());
    buffer.clear();
    formatter.append(entry, buffer);
    const std::string_view line = buffer.text();
    const auto tabs = [](std::string_view text) { return std::count(text.begin(), text.end(), '\t'); };
    const std::size_t types = header.rfind("#types");
    require(tabs(line) + 1 == tabs(std::string_view(header).substr(types)), "as many columns as the header says");
    require(line.ends_with('\n') && !line.starts_with('#'), "a line that is no comment");
    for (const char c : line.substr(0, line.size() - 1))
        require((static_cast<std::uint8_t>(c) >= 32 && c != 127) || c == '\t', "one line without control characters");
    std::string quoted = "\"";
    for (const char c : line.substr(0, line.size() - 1))
        if (c != '"' && c != '\\' && c != '\t') quoted += c;
    require(json::accept(quoted + '"'), "UTF-8");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    const std::uint8_t option = input.u8();
    FormatOptions options;
    options.timestamps = (option & 1) != 0 ? TimestampFormat::epoch : TimestampFormat::iso8601;
    options.extended = (option & 2) != 0;
    if ((option & 4) != 0) options.node = "node \"1\"";
    Formatter as_json(options);
    options.format = LogFormat::tsv;
    Formatter as_tsv(options);
    Strings strings;
    if ((option & 8) != 0) {
        const ConnEntry entry = read_conn(input, strings);
        check_json(as_json, entry, strings);
        check_tsv(as_tsv, entry, LogKind::conn);
    } else {
        const FtpEntry entry = read_ftp(input, strings);
        check_json(as_json, entry, strings);
        check_tsv(as_tsv, entry, LogKind::ftp);
    }
    return 0;
}
