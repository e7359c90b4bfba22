// Fuzzes the whole pipeline with conversations that go wrong: packets that are lost, doubled, exchanged, overlap with
// other bytes, wrap, are cut short or are no packets at all; beside them other protocols, fragments and tunnels. Its
// lines are valid JSON, or have the columns of their header, and are the same by one worker and by three, where no
// bound is reached and nothing of one connection may take two ways. A reload that changes nothing changes no line; one
// that changes something leaves all this as it is. A secret that was said as a password is in no line where passwords
// are hidden. Ports that count transfers (capture.shunt) lose no entry of FTP.
//
// An input: options, then what happens (pipeline_story.h). Its last byte has further options.
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/pipeline_story.h"
#include "tests/fuzz/tsv_grammar.h"
#include "tests/support/memory_pipeline.h"
#include "tests/support/played_ports.h"

#include <cctype>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::uint8_t kExtended = 1, kAllCommands = 8, kByPorts = 16, kTinyBounds = 32, kInterim = 64,
                       kTabSeparated = 128;
constexpr std::uint8_t kSix = 1, kNoPasswords = 2, kShunted = 4, kBlindPorts = 8, kQueued = 16, kFewRules = 32;

MemoryPipelineOptions pipeline_options(std::uint8_t option, std::uint8_t more) {
    MemoryPipelineOptions o = small_pipeline((option & kExtended) != 0);
    o.pipeline.decode.fragment_bytes_max = 1u << 18;
    o.pipeline.decode.fragment_datagrams_max = 16;
    o.pipeline.conn.connections_max = 256;
    o.pipeline.hints_max = 64;
    o.pipeline.emitter.text_bytes = 1u << 18;
    o.pipeline.decode.checksums = o.pipeline.conn.checksums = static_cast<ChecksumPolicy>((option >> 1) % 3);
    o.pipeline.ftp.log_all_commands = (option & kAllCommands) != 0;
    o.pipeline.control_max = o.pipeline.watches_max = 64;
    o.pipeline.progress_max = 256;
    if ((more & kNoPasswords) != 0) o.pipeline.ftp.passwords = PasswordPolicy::none;
    if ((option & kTabSeparated) != 0) o.entries.format.format = LogFormat::tsv;
    o.entries.format.interim = (option & kInterim) != 0;
    o.board_slots = (option & kTinyBounds) != 0 ? 2 : 64;
    if ((option & kInterim) != 0) o.pipeline.conn.interims = {.interval = kSecond, .told_max = 64};
    if ((option & kTinyBounds) == 0) return o;
    o.pipeline.decode.fragment_datagrams_max = 1;
    o.pipeline.conn.connections_max = 16;
    o.pipeline.conn.ranges_max = 8;
    o.pipeline.conn.interims.told_max = 2;
    o.pipeline.hints_max = o.pipeline.control_max = o.pipeline.watches_max = o.pipeline.progress_max = 2;
    o.pipeline.first_bytes_max = o.pipeline.held_bytes_max = 2000;
    o.entries.transfers.announcements_max = 2;
    return o;
}

// What a reload may change, from what it was at the start.
MemoryPipelineOptions changed(MemoryPipelineOptions o, const Reload& reload) {
    const Duration time = Duration{reload.value} * kSecond + kMillisecond;
    ConnOptions& conn = o.pipeline.conn;
    if ((reload.what & 1) != 0) conn.inactivity.times.fill(time);
    if ((reload.what & 2) != 0)
        conn.tcp = {.attempt_delay = time / 8, .close_delay = time / 16, .reset_delay = time / 8};
    if ((reload.what & 4) != 0) conn.interims.interval = reload.value % 4 == 0 ? 0 : time / 4;
    if ((reload.what & 8) != 0) conn.ftp_ports = {2121, 40000};
    if ((reload.what & 16) != 0) o.pipeline.ftp.log_all_commands = !o.pipeline.ftp.log_all_commands;
    if ((reload.what & 32) != 0) o.pipeline.ftp.passwords = static_cast<PasswordPolicy>(reload.value % 3);
    if ((reload.what & 64) != 0) o.pipeline.ftp_only = true;
    if ((reload.what & 128) != 0) o.pipeline.decode.fragment_timeouts = {.ipv4 = time, .ipv6 = 2 * time};
    return o;
}

enum class Reloads { none, only_cuts, of_nothing, of_something };

struct Lines {
    std::string text;
    std::vector<LogKind> kinds; // of each line
    // There was no room for all connections' interim entries. Those that are over make room when their worker comes to
    // them, after a burst, and a reload cuts bursts.
    bool limited = false;
    bool evicted = false; // the table was full

    void add(LogKind kind, std::string_view line) {
        text += line;
        kinds.push_back(kind);
    }
    auto of_ftp() const { return std::count(kinds.begin(), kinds.end(), LogKind::ftp); }
};

void require_whole(const MemoryPipeline& pipeline) {
    require(pipeline.held() == 0, "no record is left");
    require(pipeline.in_order(), "entries in order of time");
}

Lines read(const MemoryPipelineOptions& options, const std::vector<PacketView>& packets, const Story& story,
           Reloads reloads) {
    Lines lines;
    MemoryPipeline pipeline(options, [&](LogKind kind, std::string_view line) { lines.add(kind, line); });
    std::size_t done = 0;
    const auto until = [&](std::size_t end) {
        pipeline.process(std::span(packets).subspan(done, end - done));
        done = end;
    };
    if (reloads != Reloads::none)
        for (const Reload& reload : story.reloads()) {
            until(reload.packet);
            if (reloads == Reloads::only_cuts) continue;
            const auto next = reloads == Reloads::of_something ? changed(options, reload) : options;
            pipeline.reload(next.pipeline, next.entries);
            // Connections that are over by shorter times end as their worker comes to them, after a burst: let that not
            // depend on how many packets a burst has.
            if (reloads == Reloads::of_something && done != 0) pipeline.idle(packets[done - 1].now);
        }
    until(packets.size());
    pipeline.finish(packets.empty() ? 0 : packets.back().now);
    require_whole(pipeline);
    lines.limited = pipeline.count(Event::interim_limit) != 0;
    lines.evicted = pipeline.count(Event::connection_evicted) != 0;
    return lines;
}

// With ports that count transfers, so that their packets do not come.
Lines read_shunted(MemoryPipelineOptions options, const std::vector<PacketView>& packets, std::uint8_t more) {
    PlayedPorts ports;
    ports.blind = (more & kBlindPorts) != 0;
    ports.queued = (more & kQueued) != 0 ? 3 : 0;
    ports.room = (more & kFewRules) != 0 ? 1 : 8;
    ports.report_each = 3;
    options.pipeline.shunt = &ports;
    options.pipeline.shunt_after = 3000;
    options.entries.format.shunts = true;
    Lines lines;
    MemoryPipeline pipeline(options, [&](LogKind kind, std::string_view line) { lines.add(kind, line); });
    Timestamp now = 0;
    for (const PacketView& packet : packets) {
        if (now != 0 && now + kSecond < packet.now) ports.finish_ending(); // what they count with delay is there then
        now = packet.now;
        if (ports.counts(packet))
            pipeline.idle(now);
        else
            pipeline.process({&packet, 1});
    }
    ports.finish_all();
    pipeline.idle(now);
    pipeline.finish(now);
    require_whole(pipeline);
    return lines;
}

void require_same(const Lines& one, const Lines& other, const char* what) {
    if (other.text == one.text) return;
    std::fprintf(stderr, "one worker, without a reload or with the same:\n%sthe other:\n%s", one.text.c_str(),
                 other.text.c_str());
    require(false, what);
}

// Most lines are those of the input that this one was made of. What was looked at is known by its hash, in a table that
// does not grow: libFuzzer runs an input twice that leaves memory allocated.
void check_form(const Lines& lines, const FormatOptions& format) {
    static std::vector<std::size_t> looked_at(1u << 16);
    std::optional<TsvGrammar> conn, ftp;
    std::string_view left = lines.text;
    for (const LogKind kind : lines.kinds) {
        const std::string_view line = left.substr(0, left.find('\n') + 1);
        left.remove_prefix(line.size());
        const std::size_t hash = std::hash<std::string_view>()(line) ^ (kind == LogKind::ftp ? 1 : 0);
        std::size_t& known = looked_at[hash % looked_at.size()];
        if (known == hash) continue;
        known = hash;
        if (format.format == LogFormat::json) {
            require(nlohmann::json::accept(line), "each line is JSON");
            continue;
        }
        std::optional<TsvGrammar>& grammar = kind == LogKind::ftp ? ftp : conn;
        if (!grammar) grammar.emplace(format, kind);
        grammar->check(line);
    }
    require(left.empty(), "an entry is a line");
}

// In a line of either form, in either case.
void require_no_secret(const Lines& lines) {
    std::string text = lines.text;
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    for (const std::string_view mark : kSecretMarks)
        if (const std::size_t at = text.find(mark); at != text.npos) {
            const std::size_t begin = text.rfind('\n', at) + 1; // npos + 1: the beginning
            std::fprintf(stderr, "%s\n", text.substr(begin, text.find('\n', at) - begin).c_str());
            require(false, "a password is hidden");
        }
}

// Whether the secret may be shown as a guest's, or since somebody asked for it.
bool may_be_shown(const Story& story, PasswordPolicy policy) {
    return policy == PasswordPolicy::all || (policy == PasswordPolicy::guests && story.guest_was_said());
}
bool may_be_shown(const Story& story, const MemoryPipelineOptions& options) {
    return std::any_of(story.reloads().begin(), story.reloads().end(), [&](const Reload& reload) {
        return may_be_shown(story, changed(options, reload).pipeline.ftp.passwords);
    });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::uint8_t more = data[size - 1];
    FuzzInput input(data, size - 1);
    const std::uint8_t option = input.u8();
    Trace trace;
    const Story story(input, trace, (more & kSix) != 0, (option & kByPorts) != 0);
    MemoryPipelineOptions options = pipeline_options(option, more);
    const auto packets = trace.views();
    const bool reloads = !story.reloads().empty();
    const bool bounded = (option & kTinyBounds) != 0; // bounds are reached, by three workers later

    const Lines one = read(options, packets, story, Reloads::none);
    const Lines reloaded = reloads ? read(options, packets, story, Reloads::of_something) : one;
    check_form(one, options.entries.format);
    if (reloads) check_form(reloaded, options.entries.format);
    if (story.secret_is_password() && !may_be_shown(story, options.pipeline.ftp.passwords)) {
        require_no_secret(one);
        if (reloads && !may_be_shown(story, options)) require_no_secret(reloaded);
    }
    if ((more & kShunted) != 0) {
        const Lines shunted = read_shunted(options, packets, more);
        MemoryPipelineOptions with_column = options;
        with_column.entries.format.shunts = true;
        check_form(shunted, with_column.entries.format);
        require(bounded || shunted.of_ftp() == one.of_ftp(), "shunts lose no entry of FTP");
    }
    const Lines as_one = reloads ? read(options, packets, story, Reloads::of_nothing) : one;
    // In a full table, which of several connections makes room that may be over in the same tick depends on when the
    // worker came to them, which is after a burst: against the same bursts.
    const bool full = one.evicted || as_one.evicted;
    const Lines cut = reloads && (bounded || full) ? read(options, packets, story, Reloads::only_cuts) : one;
    if (one.limited || reloaded.limited || as_one.limited || cut.limited) return 0;
    require_same(cut, as_one, "a reload of nothing changes nothing");
    if (!story.comparable() || bounded || full) return 0;
    options.workers = 3;
    options.by_ports = (option & kByPorts) != 0;
    const Lines three = read(options, packets, story, Reloads::of_something);
    if (!three.limited) require_same(reloaded, three, "the same lines by three workers");
    return 0;
}
