// capture.shunt: transfers that the ports count in place of the workers, by flow rules that count and drop.
//
// Workers ask by queues (ShuntPorts), a thread of its own makes the rules, reads their counters each second (of what is
// fast four times as often), reports what is new, and takes the rules away: for what has ended, two seconds later,
// since some cards tell counters with delay; for what has been silent, where a port can't let FIN and RST through; at
// once, where the connection is over, or the sensor stops. A rule that goes before its port has told all is counted
// (rules_untold). One that the port does not take away is tried again each second, and its connection's place is not
// free meanwhile. Each rule stands on every port that can, so that it does not matter which port sees which direction.
//
// Made before the Engine, by the main thread; start() once the ports are, stop() before the workers stop and while they
// still take reports. In tests step() stands for the thread.
#pragma once

#include "config/config.h"
#include "core/base/time.h"
#include "core/pipeline/shunt_ports.h"
#include "core/record/channel.h"
#include "daemon/live/flow_rules.h"
#include "daemon/live/note.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace ftpsensor {

struct ShuntFigures {        // of one port
    std::uint64_t rules = 0; // at present, one a direction
    std::uint64_t rules_added = 0;
    std::uint64_t rules_refused = 0; // by the port
    std::uint64_t rules_stuck = 0;   // at present: the port did not take them away
    std::uint64_t rules_untold = 0;  // went when the port may have counted more than it had told
    std::uint64_t packets = 0;       // that it counted and dropped
    std::uint64_t bytes = 0;
};

class Shunt final : public ShuntPorts {
public:
    Shunt(const CaptureConfig& capture, std::size_t workers);
    ~Shunt() override;
    Shunt(const Shunt&) = delete;
    Shunt& operator=(const Shunt&) = delete;

    // Finds out which of the ports can, and says it.
    void probe(std::vector<std::unique_ptr<FlowRules>> ports, Notes& notes);
    void start();             // the thread
    void stop();              // takes all rules away; what they told has been reported. Waits kDelayMax for what ended
    void step(Timestamp now); // one round of the thread: steady time
    ShuntFigures figures(const std::string& port) const;                    // any thread
    bool failed() const { return failed_.load(std::memory_order_acquire); } // its thread has ended by an exception
    [[noreturn]] void rethrow_failure() const { std::rethrow_exception(failure_); }

    std::uint32_t max() const override { return max_.load(std::memory_order_relaxed); }
    void begin(std::size_t worker, ShuntTicket ticket, const ShuntFlow& flow) override;
    void end(std::size_t worker, ShuntTicket ticket, bool at_once) override;
    bool next_report(std::size_t worker, ShuntReport& report) override;

    static constexpr Duration kReadEvery = kSecond; // the counters
    // Those of fast transfers: the number in a FIN tells how much it was but for 4 GiB.
    static constexpr Duration kReadFastEvery = kSecond / 4;
    static constexpr std::uint64_t kFastBytes = std::uint64_t{1} << 30; // a second
    static constexpr Duration kDelayMax = 2 * kSecond;                  // with which counters are told
    // After which a port gives a connection back: one that hides the ends, and one that shows them, where a FIN was
    // lost.
    static constexpr Duration kSilence = 5 * kSecond;
    static constexpr Duration kLongSilence = kMinute;

private:
    struct Request {
        enum class What : std::uint8_t { begin, end, end_at_once } what = What::begin;
        ShuntTicket ticket;
        ShuntFlow flow;
    };
    struct Exchange { // with one worker
        explicit Exchange(std::size_t places);
        RecordChannel<Request> requests;
        RecordChannel<ShuntReport> reports;
    };
    struct PortState {
        std::unique_ptr<FlowRules> rules;
        bool shows_ends = false; // FIN and RST come through
        std::atomic<std::uint64_t> present{0}, added{0}, refused{0}, stuck{0}, untold{0}, packets{0}, bytes{0};
    };
    struct Rule {
        PortState* port = nullptr;
        unsigned side = 0;
        FlowRules::Handle handle = nullptr;
        FlowCounts told;
        bool stuck = false;
    };
    enum class Reading : std::uint8_t { same, grown, failed };
    struct Shunted { // one connection
        std::size_t worker = 0;
        ShuntTicket ticket;
        std::vector<Rule> rules;
        ShuntCounts unreported[2];
        Timestamp read_at = 0;
        bool fast = true;             // as of the last reading; nobody knows before the first
        Timestamp grown = 0;          // when a counter last had
        Timestamp ending = INT64_MAX; // since when nothing more is to be counted
        Timestamp end_at = INT64_MAX; // the rules go then
        bool shows_ends = true;       // on all of its ports
        bool ends() const { return ending != INT64_MAX; }
    };

    void take_requests(Timestamp now);
    void begin_counting(std::size_t worker, const Request& request, Timestamp now);
    static bool add_rules(PortState& port, const ShuntFlow& flow, Shunted& s);
    bool look_at(Shunted& s, Timestamp now);
    static void end_at(Shunted& s, Timestamp now, Timestamp at);
    static void read_counters(Shunted& s, Timestamp now);
    static Reading read_counter(Rule& rule, Shunted& s);
    static bool remove_rules(Shunted& s, Timestamp now);
    static bool remove_rule(Rule& rule);
    void give_up();
    bool report(Shunted& s, ShuntReport::What what);
    std::size_t places_of_worker(std::size_t workers) const;
    void run();

    const ConfigShunt mode_;
    const std::uint32_t rules_max_;
    std::atomic<std::uint32_t> max_{0};                // connections a worker; 0 until a port has shown that it can
    std::vector<std::unique_ptr<Exchange>> exchanges_; // one a worker
    std::vector<std::unique_ptr<PortState>> ports_;    // those that can
    std::vector<Shunted> shunted_;                     // the thread's
    std::atomic<bool> stop_{false};
    std::atomic<bool> failed_{false};
    std::exception_ptr failure_; // what ended the thread; written before failed_
    std::thread thread_;
};

// What check can say before a port is opened.
void check_shunt(const CaptureConfig& capture, Notes& notes);

} // namespace ftpsensor
