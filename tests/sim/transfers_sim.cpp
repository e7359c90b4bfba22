// Transfers between workers, simulated: any order in which workers and the logger may come to work gives the same
// logs, and these say the truth.
//
// usage: transfers_sim [FIRST_SEED [SEEDS [FILE]]]
//
// A seed is a world of sessions (world.h), read by one worker and then by several (schedule.h), by both rules, offline
// and live; each result is held against the truth (oracle.h) and against the other. A seed that fails is printed with
// what is wrong; `transfers_sim SEED` does it again, and
// `transfers_sim SEED 1 FILE` shows the packets of the session that moved the file, as they were captured, and all
// logs.
#include "tests/sim/oracle.h"
#include "tests/sim/schedule.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace ftpsensor::test {

namespace {

struct Totals {
    std::uint64_t sessions = 0, connections = 0, packets = 0, late = 0, different = 0;
    OracleCounts counts;
};

// Line `first` of two texts that differ.
std::string difference(const std::string& one, const std::string& many) {
    std::size_t at = 0;
    while (at < one.size() && at < many.size() && one[at] == many[at]) ++at;
    const std::size_t start = at == 0 ? 0 : one.rfind('\n', at - 1) + 1;
    const auto line = [start](const std::string& text) {
        return start < text.size() ? text.substr(start, text.find('\n', start) - start) : std::string("nothing");
    };
    return "\n    " + line(one) + "\n    " + line(many);
}

class Seed {
public:
    Seed(std::uint64_t seed, Totals& totals) : random_(~seed), totals_(totals), world_(make_world(seed)) {}

    // What is wrong, a line each.
    std::vector<std::string> run() {
        totals_.sessions += world_.sessions.size();
        totals_.connections += world_.connections.size();
        totals_.packets += world_.frames.size();
        strict();
        extended();
        return std::move(wrong_);
    }

    bool is_clean() const { return world_.is_clean; }

private:
    std::size_t workers() {
        const std::size_t choices[] = {2, 3, 4, 8};
        return random_.pick(choices);
    }
    Duration lag() {
        const Duration choices[] = {0, 10 * kMillisecond, 200 * kMillisecond, kSecond, 3 * kSecond, kHour};
        return random_.pick(choices);
    }
    ScheduleResult run_by(const char* what, const ScheduleOptions& options) {
        ScheduleResult result = run_schedule(world_, options);
        if (!result.broken.empty()) wrong_.push_back(std::string(what) + ": " + result.broken);
        return result;
    }
    void add(const char* what, const std::vector<std::string>& lines) {
        for (const auto& line : lines) wrong_.push_back(std::string(what) + ": " + line);
    }
    void compare(const char* what, const std::string& one, const std::string& many) {
        if (one != many) wrong_.push_back(std::string(what) + " differs from one worker:" + difference(one, many));
    }

    void strict() {
        const auto one = run_by("strict, one worker", {.seed = random_.next(), .extended = false});
        add("strict", check_strict(world_, one.text));
        const ScheduleOptions many{random_.next(), workers(), false, lag(), {}};
        compare("strict", one.text, run_by("strict", many).text);
    }
    void extended() {
        const auto one = run_by("one worker", {.seed = random_.next()});
        add("extended", check_extended(world_, one.text, false, totals_.counts));
        for (int i = 0; i < 2; ++i) {
            const ScheduleOptions many{random_.next(), workers(), true, lag(), {}};
            compare("extended", one.text, run_by("extended", many).text);
        }
        live(one.text);
        reloaded(one.text);
    }
    void reloaded(const std::string& one) {
        using Reloads = ScheduleOptions::Reloads;
        ScheduleOptions options{random_.next(), workers(), true, lag(), {}, Reloads::of_nothing};
        if (random_.percent(30)) options.lag_most = 100 * kMillisecond, options.hold = kHold;
        compare("reloaded", one, run_by("reloaded", options).text);
        options.reloads = Reloads::of_times;
        OracleCounts counts;
        add("reloaded, other times",
            check_extended(world_, run_by("reloaded, other times", options).text, true, counts));
    }
    // In time: the same. Too late: less, but nothing wrong, and it shows in the count.
    void live(const std::string& one) {
        const ScheduleOptions in_time{random_.next(), workers(), true, 100 * kMillisecond, kHold};
        const ScheduleResult prompt = run_by("live", in_time);
        compare("live", one, prompt.text);
        if (prompt.late != 0) wrong_.push_back("live: late, and no worker was behind by more than the hold");
        const ScheduleOptions slow{random_.next(), workers(), true, kSecond, kHold};
        const ScheduleResult late = run_by("live, slow", slow);
        OracleCounts counts;
        add("live, slow", check_extended(world_, late.text, true, counts));
        totals_.late += late.late;
        totals_.different += late.text != one;
        if (late.text != one && late.late == 0)
            wrong_.push_back("live, slow: other logs, and no record was late:" + difference(one, late.text));
    }

    static constexpr Duration kHold = 200 * kMillisecond;

    Random random_;
    Totals& totals_;
    World world_;
    std::vector<std::string> wrong_;
};

// The packets of one session.
void show(std::uint64_t seed, const std::string& file) {
    const World world = make_world(seed);
    for (const TrueAnnouncement& a : world.announcements)
        std::printf("%.6f session %zu (port %u) announces %s:%u for %s%s\n", zeek_seconds(a.sent), a.session,
                    world.connections[world.sessions[a.session]].from.port, a.place.address.to_string().c_str(),
                    a.place.port, a.originator.to_string().c_str(), a.is_translated ? ", by another address" : "");
    for (const TrueFrame& frame : world.frames) {
        const TrueConnection& c = world.connections[frame.connection];
        const bool wanted = std::any_of(world.commands.begin(), world.commands.end(), [&](const TrueCommand& command) {
            return command.file == file &&
                   std::find(c.sessions.begin(), c.sessions.end(), command.session) != c.sessions.end();
        });
        if (!wanted && std::to_string(c.from.port) != file) continue;
        const std::string text(frame.bytes.end() - std::min<std::ptrdiff_t>(frame.payload, 60), frame.bytes.end());
        std::printf("%.6f sent %.6f %s%5u %s %5u flags %02x seq %10u payload %u%s %s", zeek_seconds(frame.time),
                    zeek_seconds(frame.sent), c.is_control ? "" : "  data ", c.from.port,
                    frame.from_opener ? "->" : "<-", c.to.port, frame.flags, frame.seq, frame.payload,
                    frame.again ? " again" : "", c.is_control ? text.c_str() : "");
        if (!c.is_control || text.empty()) std::printf("\n");
    }
}

// What one worker makes of it, by the wider rule.
void show_logs(std::uint64_t seed) { std::printf("%s", run_schedule(make_world(seed), {.seed = 1}).text.c_str()); }

int run(std::uint64_t first, std::uint64_t seeds) {
    Totals totals;
    std::uint64_t failed = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        Seed run(seed, totals);
        const auto wrong = run.run();
        if (wrong.empty()) continue;
        ++failed;
        std::printf("seed %llu (captured %s): %zu wrong\n", static_cast<unsigned long long>(seed),
                    run.is_clean() ? "whole and in order" : "with losses or out of order", wrong.size());
        for (std::size_t i = 0; i < wrong.size() && i < 10; ++i) std::printf("  %s\n", wrong[i].c_str());
        std::fflush(stdout);
        if (failed == 10) break;
    }
    const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf(
        "%llu sessions, %llu connections, %llu packets: %llu entries of transfers, %llu connections that had to "
        "be named, %llu whole; %llu records late in %llu slow runs; %llu seeds failed\n",
        number(totals.sessions), number(totals.connections), number(totals.packets), number(totals.counts.entries),
        number(totals.counts.matches), number(totals.counts.complete), number(totals.late), number(totals.different),
        number(failed));
    const bool saw_all = totals.counts.matches != 0 && totals.counts.complete != 0;
    if (failed == 0 && seeds > 10 && !saw_all) std::printf("the oracle had nothing to do\n");
    return failed != 0 || (seeds > 10 && !saw_all) ? 1 : 0;
}

} // namespace

} // namespace ftpsensor::test

int main(int argc, char** argv) {
    const std::uint64_t first = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
    const std::uint64_t seeds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    if (argc > 3) {
        ftpsensor::test::show(first, argv[3]);
        ftpsensor::test::show_logs(first);
    }
    return ftpsensor::test::run(first, seeds);
}
