// Fuzzes the lines of both logs: whatever an entry's strings and numbers hold, it is one line, JSON that another parser
// reads back, and in the tab-separated form what the types of its header say; and each of its values is what was put
// in, in both forms, with no field more or less.
//
// An input: options, then which fields there are and what they hold. Strings come from the wire and may hold anything;
// a piece of 255 bytes, repeated, makes one longer than any that an entry can have (16 KiB).
#include "core/log/format.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/tsv_grammar.h"

#include <cmath>
#include <cstring>
#include <ctime>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include <arpa/inet.h>
#include <nlohmann/json.hpp>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;
using nlohmann::json;

constexpr std::size_t kParentsMax = 4;

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

// What a string of the tab-separated form stands for; all of its escapes can be taken back.
std::string unescaped(std::string_view text) {
    if (text == "(empty)") return {};
    std::string plain;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] != '\\') {
            plain += text[i++];
        } else if (text[i + 1] == '\\') {
            plain += '\\', i += 2;
        } else {
            plain += static_cast<char>(std::stoul(std::string(text.substr(i + 2, 2)), nullptr, 16));
            i += 4;
        }
    }
    return plain;
}

// The fields that a line has to have, by their names, and how to tell whether a value is the one that was put in.
class Expected {
public:
    struct Field {
        std::function<bool(const json&)> in_json; // none: not in JSON
        std::function<bool(std::string_view)> in_tsv;
    };
    explicit Expected(bool iso) : iso_(iso) {}

    void string(const char* name, std::string text) {
        fields[name] = {[text](const json& v) { return v == text || v == hex_escaped(text); },
                        [text](std::string_view v) { return unescaped(v) == text; }};
    }
    void word(const char* name, const std::string& text) { // without anything to escape
        fields[name] = {[text](const json& v) { return v == text; }, [text](std::string_view v) { return v == text; }};
    }
    void number(const char* name, std::uint64_t n) {
        fields[name] = {[n](const json& v) { return v.is_number_unsigned() && v.get<std::uint64_t>() == n; },
                        [n](std::string_view v) { return v == std::to_string(n); }};
    }
    void truth(const char* name, bool b) {
        fields[name] = {[b](const json& v) { return v == b; },
                        [b](std::string_view v) { return v == (b ? "T" : "F"); }};
    }
    void address(const char* name, const IpAddress& a) {
        const auto is = [a](const std::string& text) {
            IpAddress read;
            std::uint8_t four[4];
            if (::inet_pton(AF_INET, text.c_str(), four) == 1)
                read = IpAddress::from_v4(four);
            else if (::inet_pton(AF_INET6, text.c_str(), read.bytes.data()) != 1)
                return false;
            return read.bytes == a.bytes;
        };
        fields[name] = {[is](const json& v) { return is(v.get<std::string>()); },
                        [is](std::string_view v) { return is(std::string(v)); }};
    }
    // Cut to microseconds. Beyond 2^32 seconds it is a double, which has steps of two of them.
    void time(const char* name, Timestamp t) {
        const auto near = [t](double seconds) {
            return std::abs(seconds - static_cast<double>(t / kMicrosecond) / 1e6) < 4e-6;
        };
        const auto is_iso = [t](const std::string& text) {
            tm parts{};
            const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S.", &parts);
            return rest != nullptr &&
                   ::timegm(&parts) * kSecond + std::stoll(rest) * kMicrosecond == t - t % kMicrosecond;
        };
        if (iso_)
            fields[name] = {[is_iso](const json& v) { return is_iso(v.get<std::string>()); },
                            [is_iso](std::string_view v) { return is_iso(std::string(v)); }};
        else
            fields[name] = {[near](const json& v) { return v.is_number() && near(v.get<double>()); },
                            [near](std::string_view v) { return near(std::stod(std::string(v))); }};
    }
    void seconds(const char* name, double s) {
        fields[name] = {[s](const json& v) { return v.is_number() && v.get<double>() == s; },
                        [s](std::string_view v) {
                            return std::abs(std::stod(std::string(v)) - s) <= 5.1e-7 + std::abs(s) * 1e-15;
                        }};
    }
    void id(const char* name, char letter, const Id96& id) { word(name, id.to_string(letter)); }
    void ids(const char* name, char letter, const std::vector<Id96>& ids) {
        std::vector<std::string> texts;
        std::string joined;
        for (const Id96& id : ids) {
            texts.push_back(id.to_string(letter));
            joined += (joined.empty() ? "" : ",") + texts.back();
        }
        fields[name] = {[texts](const json& v) { return v == texts; },
                        [joined](std::string_view v) { return v == joined; }};
    }
    void community_id(const char* name) { // its value is a test's of its own
        const auto is = [](std::string_view v) { return v.starts_with("1:") && v.size() == 30 && v.ends_with('='); };
        fields[name] = {[is](const json& v) { return is(v.get<std::string>()); }, is};
    }
    void only_in_tsv(const char* name) { fields.at(name).in_json = nullptr; }

    std::map<std::string, Field> fields;

private:
    bool iso_;
};

class EntryReader {
public:
    EntryReader(FuzzInput& input, const FormatOptions& options)
        : expected(options.timestamps == TimestampFormat::iso8601), input_(input), options_(options) {}

    FtpEntry ftp() {
        FtpEntry e;
        expected.word("_path", "ftp");
        e.user = string("user").value_or("<unknown>");
        expected.string("user", std::string(e.user));
        e.password = string("password");
        e.command = string("command");
        e.arg = string("arg");
        e.mime_type = string("mime_type");
        e.reply_msg = string("reply_msg");
        e.file_size = number<std::uint64_t>("file_size", input_.flag());
        e.reply_code = number<std::uint32_t>("reply_code", input_.flag());
        if (input_.flag()) {
            e.data_channel = DataChannel{truth("data_channel.passive"), address("data_channel.orig_h"),
                                         address("data_channel.resp_h"), input_.u16()};
            expected.number("data_channel.resp_p", e.data_channel->resp_p);
        }
        e.fuid = id("fuid", 'F', input_.flag());
        const bool uid = input_.flag(), bytes = input_.flag(), complete = input_.flag();
        const auto own = [this](const char* name) { // a field of ours
            if (!options_.extended) expected.fields.erase(name);
        };
        e.data_uid = id("data_channel.uid", 'C', uid), own("data_channel.uid");
        e.data_bytes = number<std::uint64_t>("data_channel.bytes", bytes), own("data_channel.bytes");
        if (complete) e.data_complete = truth("data_channel.complete"), own("data_channel.complete");
        common(e);
        return e;
    }

    ConnEntry conn() {
        ConnEntry e;
        expected.word("_path", "conn");
        if (const auto history = string("history"); history && !history->empty())
            e.history = *history;
        else
            expected.fields.erase("history"); // an empty one is no field
        e.proto = static_cast<Transport>(input_.u8() & 3);
        constexpr const char* kTransports[] = {"tcp", "udp", "icmp", "unknown_transport"};
        expected.word("proto", kTransports[static_cast<std::size_t>(e.proto)]);
        read_services(e);
        if (input_.flag()) {
            e.duration = static_cast<double>(static_cast<std::int64_t>(input_.u64())) / 1e9;
            expected.seconds("duration", *e.duration);
        }
        e.orig_bytes = number<std::uint64_t>("orig_bytes", input_.flag());
        e.resp_bytes = number<std::uint64_t>("resp_bytes", input_.flag());
        e.state = static_cast<ConnState>(input_.u8() % 13);
        constexpr const char* kStates[] = {"S0",   "S1",     "SF",    "REJ", "S2",  "S3", "RSTO",
                                           "RSTR", "RSTOS0", "RSTRH", "SH",  "SHR", "OTH"};
        expected.word("conn_state", kStates[static_cast<std::size_t>(e.state)]);
        if (input_.flag()) e.local_orig = truth("local_orig");
        if (input_.flag()) e.local_resp = truth("local_resp");
        e.missed_bytes = *number<std::uint64_t>("missed_bytes", true);
        e.orig_pkts = *number<std::uint64_t>("orig_pkts", true);
        e.orig_ip_bytes = *number<std::uint64_t>("orig_ip_bytes", true);
        e.resp_pkts = *number<std::uint64_t>("resp_pkts", true);
        e.resp_ip_bytes = *number<std::uint64_t>("resp_ip_bytes", true);
        for (std::size_t n = input_.u8() % (kParentsMax + 1); n > 0; --n)
            parents_.push_back({input_.u32(), input_.u64()});
        e.tunnel_parents = parents_;
        if (!parents_.empty()) expected.ids("tunnel_parents", 'C', parents_);
        e.ip_proto = input_.u8();
        expected.number("ip_proto", e.ip_proto);
        expected.community_id("community_id");
        e.control_uid = id("control_uid", 'C', input_.flag());
        if (!options_.extended) expected.fields.erase("control_uid");
        e.shunted = input_.flag();
        if (options_.extended) expected.truth("shunted", e.shunted);
        if (options_.extended && !e.shunted) expected.only_in_tsv("shunted");
        if (input_.flag()) e.interim = truth("interim");
        common(e);
        return e;
    }

    Expected expected;

private:
    std::optional<std::string_view> string(const char* name) {
        if (!input_.flag()) return {};
        const std::uint8_t times = input_.u8();
        const std::string_view piece = input_.text();
        std::string& text = strings_.emplace_back(piece);
        for (unsigned i = 191; i < times; ++i) text += piece;
        expected.string(name, text);
        return text;
    }
    template <class N>
    std::optional<N> number(const char* name, bool there) {
        if (!there) return {};
        const auto n = static_cast<N>(input_.u64());
        expected.number(name, n);
        return n;
    }
    bool truth(const char* name) {
        const bool b = input_.flag();
        expected.truth(name, b);
        return b;
    }
    IpAddress address(const char* name) {
        IpAddress a;
        const std::string_view bytes = input_.bytes(16);
        std::copy(bytes.begin(), bytes.end(), a.bytes.begin());
        if (input_.flag()) a = IpAddress::from_v4(a.bytes.data());
        expected.address(name, a);
        return a;
    }
    std::optional<Id96> id(const char* name, char letter, bool there) {
        if (!there) return {};
        const Id96 id{input_.u32(), input_.u64()};
        expected.id(name, letter, id);
        return id;
    }
    Timestamp time(const char* name) { // what a capture can stamp: see CaptureReader
        const auto seconds = static_cast<Timestamp>(input_.u64() % (std::uint64_t{1} << 33));
        const Timestamp t = seconds * kSecond + input_.u32() % kSecond;
        expected.time(name, t);
        return t;
    }
    void read_services(ConnEntry& e) {
        e.services = input_.u8() & 15;
        std::string text;
        constexpr const char* kServices[] = {"ftp", "ftp-data", "ssl", "gssapi"};
        for (std::size_t bit = 0; bit < 4; ++bit)
            if ((e.services >> bit & 1) != 0) text += (text.empty() ? "" : ",") + std::string(kServices[bit]);
        if (!text.empty()) expected.word("service", text);
    }
    template <class Entry>
    void common(Entry& e) {
        e.write_ts = time("_write_ts");
        e.ts = time("ts");
        e.uid = *id("uid", 'C', true);
        e.id.orig_h = address("id.orig_h");
        e.id.resp_h = address("id.resp_h");
        e.id.orig_p = *number<std::uint16_t>("id.orig_p", true);
        e.id.resp_p = *number<std::uint16_t>("id.resp_p", true);
        if (!options_.node.empty()) expected.word("_node", options_.node);
    }

    FuzzInput& input_;
    const FormatOptions& options_;
    std::vector<Id96> parents_;
    std::deque<std::string> strings_;
};

void fail(const std::string& name, std::string_view line) {
    std::fprintf(stderr, "%s: %.*s\n", name.c_str(), static_cast<int>(line.size()), line.data());
    require(false, "each value is what was put in");
}

template <class Entry>
void check_json(const FormatOptions& options, const Entry& entry, const Expected& expected) {
    TextBuffer buffer;
    Formatter(options).append(entry, buffer);
    const std::string_view line = buffer.text();
    require(line.ends_with('\n'), "a line ends");
    for (const char c : line.substr(0, line.size() - 1))
        require(static_cast<std::uint8_t>(c) >= 32 && c != 127, "one line without control characters");
    require(line.find("gz:") == line.npos, "nothing that analysts cut off before an entry");
    std::set<std::string> names;
    const json parsed = json::parse(line, [&](int depth, json::parse_event_t event, json& key) { // checks UTF-8, too
        if (event == json::parse_event_t::key && depth == 1)
            require(names.insert(key.get<std::string>()).second, "no field twice");
        return true;
    });
    std::size_t fields = 0;
    for (const auto& [name, field] : expected.fields) {
        if (!field.in_json) continue;
        ++fields;
        if (!parsed.contains(name) || !field.in_json(parsed.at(name))) fail(name, line);
    }
    require(fields == parsed.size(), "no other field");
}

template <class Entry>
void check_tsv(FormatOptions options, const Entry& entry, LogKind log, const Expected& expected) {
    options.format = LogFormat::tsv;
    TextBuffer buffer;
    Formatter(options).append(entry, buffer);
    const TsvGrammar grammar(options, log);
    const auto values = grammar.check(buffer.text());
    std::size_t fields = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto field = expected.fields.find(grammar.names()[i]);
        if (field == expected.fields.end()) {
            if (values[i] != "-") fail(grammar.names()[i], buffer.text());
        } else {
            ++fields;
            if (values[i] == "-" || !field->second.in_tsv(values[i])) fail(field->first, buffer.text());
        }
    }
    const auto left_out = [&](const char* name, bool column) { return !column && expected.fields.contains(name); };
    require(fields + left_out("shunted", options.shunts) + left_out("interim", options.interim) ==
                expected.fields.size(),
            "every field has a column, but for those that only some configurations have");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    const std::uint8_t option = input.u8();
    FormatOptions options;
    options.timestamps = (option & 1) != 0 ? TimestampFormat::epoch : TimestampFormat::iso8601;
    options.extended = (option & 2) != 0;
    if ((option & 4) != 0) options.node = "node-1";
    options.shunts = (option & 16) != 0;
    options.interim = (option & 32) != 0;
    EntryReader reader(input, options);
    if ((option & 8) != 0) {
        const ConnEntry entry = reader.conn();
        check_json(options, entry, reader.expected);
        check_tsv(options, entry, LogKind::conn, reader.expected);
    } else {
        const FtpEntry entry = reader.ftp();
        check_json(options, entry, reader.expected);
        check_tsv(options, entry, LogKind::ftp, reader.expected);
    }
    return 0;
}
