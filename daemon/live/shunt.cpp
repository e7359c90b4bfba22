#include "daemon/live/shunt.h"

#include "daemon/live/rx_clock.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>
#include <pthread.h>
#include <rte_lcore.h>

namespace ftpsensor {
namespace {

constexpr auto kRound = std::chrono::milliseconds(10);
constexpr Duration kStopMost = kSecond / 2; // that a worker has to take the last reports
constexpr std::size_t kRequestsOfPlace = 8; // begin, end, end at once; and those of the place's last owner
constexpr std::size_t kRulesOfConnection = 2;

// Of an address that no network has (RFC 5737).
FlowRule probe_rule(bool without_ends) {
    FlowRule rule;
    rule.source = IpAddress::from_v4(192, 0, 2, 1);
    rule.destination = IpAddress::from_v4(192, 0, 2, 2);
    rule.source_port = 20;
    rule.destination_port = 40000;
    rule.without_ends = without_ends;
    return rule;
}

// Why the port can't count by such a rule; "": it can. Taking it is not all: the counter has to be readable, too.
std::string try_rule(FlowRules& port, bool without_ends) {
    const FlowRule rule = probe_rule(without_ends);
    if (std::string fault = port.fault(rule); !fault.empty()) return fault;
    const FlowRules::Handle handle = port.add(rule);
    if (handle == nullptr) return "the rule was refused";
    const bool told = port.counts(handle).has_value();
    if (!port.remove(handle)) return "the rule could not be taken away again";
    return told ? "" : "its counters do not tell packets and bytes";
}

} // namespace

Shunt::Exchange::Exchange(std::size_t places)
    : requests(places * kRequestsOfPlace, 1), reports(places * kRequestsOfPlace, 1) {}

Shunt::Shunt(const CaptureConfig& capture, std::size_t workers)
    : mode_(capture.shunt), rules_max_(capture.shunt_rules_max) {
    const std::size_t places = places_of_worker(workers);
    for (std::size_t i = 0; i < workers; ++i) exchanges_.push_back(std::make_unique<Exchange>(places));
    shunted_.reserve(places * workers);
}

Shunt::~Shunt() { stop(); }

std::size_t Shunt::places_of_worker(std::size_t workers) const {
    return std::max<std::size_t>(rules_max_ / kRulesOfConnection / workers, 1);
}

void Shunt::probe(std::vector<std::unique_ptr<FlowRules>> ports, Notes& notes) {
    for (auto& rules : ports) {
        const std::string& name = rules->port();
        auto port = std::make_unique<PortState>();
        const std::string fault = try_rule(*rules, true);
        port->shows_ends = fault.empty();
        if (port->shows_ends) {
            add_note(notes, NoteLevel::info,
                     name + ": counts long transfers by itself; their FIN and RST still arrive");
        } else if (const std::string blind = try_rule(*rules, false); !blind.empty()) {
            add_note(notes, NoteLevel::warning,
                     fmt::format("{}: can't count by flow rules ({}): capture.shunt does nothing there", name, blind),
                     "set capture.shunt: off");
            continue;
        } else if (mode_ != ConfigShunt::counts) {
            add_note(notes, NoteLevel::warning,
                     fmt::format("{}: can't let FIN and RST through while it counts ({}): capture.shunt: on does "
                                 "nothing there",
                                 name, fault),
                     "capture.shunt: counts, if entries may do without how a transfer ended");
            continue;
        } else {
            add_note(notes, NoteLevel::info,
                     name + ": counts long transfers by itself; how they end is not seen (capture.shunt: counts)");
        }
        port->rules = std::move(rules);
        ports_.push_back(std::move(port));
    }
    if (ports_.empty()) return;
    max_.store(static_cast<std::uint32_t>(places_of_worker(exchanges_.size())), std::memory_order_relaxed);
}

void Shunt::start() {
    if (ports_.empty()) return;
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "fs-shunt");
}

void Shunt::run() {
    const bool registered = rte_thread_register() == 0; // drivers keep caches by lcore
    try {
        while (!stop_.load(std::memory_order_relaxed)) {
            step(monotonic_clock());
            std::this_thread::sleep_for(kRound);
        }
    } catch (...) {
        failure_ = std::current_exception();
        failed_.store(true, std::memory_order_release);
    }
    if (registered) rte_thread_unregister();
}

void Shunt::stop() {
    max_.store(0, std::memory_order_relaxed); // workers give no more
    stop_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();
    if (failed()) return give_up(); // what failed would again
    const Timestamp began = monotonic_clock();
    take_requests(began);
    for (Shunted& s : shunted_)
        if (!s.ends()) end_at(s, began, began); // to wait would tell no more of what goes on
    step(began);
    for (Timestamp now = began; !shunted_.empty() && now - began < kDelayMax + kStopMost; now = monotonic_clock()) {
        std::this_thread::sleep_for(kRound);
        step(now);
    }
    give_up();
}

// What still has rules keeps them; it is reported all the same.
void Shunt::give_up() {
    for (Shunted& s : shunted_) report(s, ShuntReport::What::ended);
    shunted_.clear();
}

void Shunt::step(Timestamp now) {
    take_requests(now);
    std::erase_if(shunted_, [&](Shunted& s) { return look_at(s, now); });
}

void Shunt::end_at(Shunted& s, Timestamp now, Timestamp at) {
    s.ending = std::min(s.ending, now);
    s.end_at = std::min(s.end_at, at);
}

// True: the worker knows all of it, and it can be forgotten. A report that finds no room is told in the next round.
bool Shunt::look_at(Shunted& s, Timestamp now) {
    if (!s.rules.empty() && now - s.read_at >= (s.fast ? kReadFastEvery : kReadEvery)) {
        read_counters(s, now);
        report(s, ShuntReport::What::counted);
    }
    if (!s.ends() && now - s.grown >= (s.shows_ends ? kLongSilence : kSilence)) end_at(s, now, now);
    if (now < s.end_at) return false;
    if (!remove_rules(s, now)) {
        s.end_at = now + kReadEvery;
        return false;
    }
    return report(s, ShuntReport::What::ended);
}

void Shunt::take_requests(Timestamp now) {
    for (std::size_t worker = 0; worker < exchanges_.size(); ++worker) {
        exchanges_[worker]->requests.drain([&](const Request& request, std::string_view) {
            if (request.what == Request::What::begin) {
                begin_counting(worker, request, now);
                return;
            }
            const auto found = std::find_if(shunted_.begin(), shunted_.end(), [&](const Shunted& s) {
                return s.worker == worker && s.ticket.place == request.ticket.place &&
                       s.ticket.generation == request.ticket.generation;
            });
            if (found == shunted_.end()) return; // ended by itself meanwhile: the report is on its way
            const bool at_once = request.what == Request::What::end_at_once;
            end_at(*found, now, at_once ? now : now + kDelayMax);
        });
    }
}

void Shunt::begin_counting(std::size_t worker, const Request& request, Timestamp now) {
    Shunted s;
    s.worker = worker;
    s.ticket = request.ticket;
    s.grown = s.read_at = now;
    bool counted = false;
    if (!stop_.load(std::memory_order_relaxed)) {
        for (const auto& port : ports_) {
            if (!add_rules(*port, request.flow, s)) continue;
            counted = true;
            s.shows_ends = s.shows_ends && port->shows_ends;
        }
    }
    if (!counted)
        end_at(s, now, now);
    else
        report(s, ShuntReport::What::begun);
    shunted_.push_back(std::move(s));
}

// Both directions or none.
bool Shunt::add_rules(PortState& port, const ShuntFlow& flow, Shunted& s) {
    std::array<Rule, kRulesOfConnection> made;
    for (unsigned side = 0; side < kRulesOfConnection; ++side) {
        FlowRule rule{flow.address[side],  flow.address[side ^ 1], flow.port[side],
                      flow.port[side ^ 1], flow.vlan_tags,         port.shows_ends};
        made[side] = {&port, side, port.rules->add(rule), {}};
        if (made[side].handle != nullptr) {
            port.present.fetch_add(1, std::memory_order_relaxed);
            continue;
        }
        port.refused.fetch_add(1, std::memory_order_relaxed);
        if (side == 1) {
            read_counter(made[0], s); // what it has seen by now
            if (!remove_rule(made[0])) s.rules.push_back(made[0]);
        }
        return false;
    }
    for (const Rule& rule : made) s.rules.push_back(rule);
    port.added.fetch_add(kRulesOfConnection, std::memory_order_relaxed);
    return true;
}

void Shunt::read_counters(Shunted& s, Timestamp now) {
    const auto bytes = [&s] { return s.unreported[0].bytes + s.unreported[1].bytes; };
    const std::uint64_t before = bytes();
    for (Rule& rule : s.rules)
        if (read_counter(rule, s) == Reading::grown) s.grown = now;
    const double seconds = static_cast<double>(now - s.read_at) / static_cast<double>(kSecond);
    s.fast = static_cast<double>(bytes() - before) >= static_cast<double>(kFastBytes) * seconds;
    s.read_at = now;
}

Shunt::Reading Shunt::read_counter(Rule& rule, Shunted& s) {
    const auto counts = rule.port->rules->counts(rule.handle);
    if (!counts) return Reading::failed;
    if (counts->packets <= rule.told.packets) return Reading::same;
    const std::uint64_t packets = counts->packets - rule.told.packets;
    const std::uint64_t bytes = counts->bytes - std::min(counts->bytes, rule.told.bytes);
    rule.told = *counts;
    s.unreported[rule.side].packets += packets;
    s.unreported[rule.side].bytes += bytes;
    rule.port->packets.fetch_add(packets, std::memory_order_relaxed);
    rule.port->bytes.fetch_add(bytes, std::memory_order_relaxed);
    return Reading::grown;
}

// False: a port did not take one of them away.
bool Shunt::remove_rules(Shunted& s, Timestamp now) {
    std::erase_if(s.rules, [&](Rule& rule) {
        const Reading last = read_counter(rule, s);
        if (last == Reading::grown) s.grown = now;
        if (!remove_rule(rule)) return false;
        const bool early = now - s.ending < kDelayMax && now - s.grown < kDelayMax;
        if (last == Reading::failed || early) rule.port->untold.fetch_add(1, std::memory_order_relaxed);
        return true;
    });
    return s.rules.empty();
}

bool Shunt::remove_rule(Rule& rule) {
    const bool gone = rule.port->rules->remove(rule.handle);
    if (gone) rule.port->present.fetch_sub(1, std::memory_order_relaxed);
    if (gone && rule.stuck) rule.port->stuck.fetch_sub(1, std::memory_order_relaxed);
    if (!gone && !rule.stuck) rule.port->stuck.fetch_add(1, std::memory_order_relaxed);
    rule.stuck = !gone;
    return gone;
}

// False: the worker has not taken what was told it before.
bool Shunt::report(Shunted& s, ShuntReport::What what) {
    if (what == ShuntReport::What::counted && s.unreported[0].packets + s.unreported[1].packets == 0) return true;
    const ShuntReport report{s.ticket, what, {s.unreported[0], s.unreported[1]}};
    if (!exchanges_[s.worker]->reports.push(report)) return false;
    s.unreported[0] = s.unreported[1] = {};
    return true;
}

ShuntFigures Shunt::figures(const std::string& name) const {
    const auto get = [](const std::atomic<std::uint64_t>& v) { return v.load(std::memory_order_relaxed); };
    for (const auto& port : ports_)
        if (port->rules->port() == name)
            return {get(port->present), get(port->added),   get(port->refused), get(port->stuck),
                    get(port->untold),  get(port->packets), get(port->bytes)};
    return {};
}

// A worker has few places, each with few requests at a time: there is room.
void Shunt::begin(std::size_t worker, ShuntTicket ticket, const ShuntFlow& flow) {
    exchanges_[worker]->requests.push({Request::What::begin, ticket, flow});
}

void Shunt::end(std::size_t worker, ShuntTicket ticket, bool at_once) {
    exchanges_[worker]->requests.push({at_once ? Request::What::end_at_once : Request::What::end, ticket, {}});
}

bool Shunt::next_report(std::size_t worker, ShuntReport& report) {
    Exchange& e = *exchanges_[worker];
    return e.reports.take(report);
}

void check_shunt(const CaptureConfig& capture, Notes& notes) {
    if (capture.shunt == ConfigShunt::off) return;
    for (const PortConfig& port : capture.ports) {
        const std::string& name = !port.interface.empty() ? port.interface : port.af_xdp;
        if (name.empty()) {
            add_note(notes, NoteLevel::info,
                     (port.pci.empty() ? port.vdev : port.pci) +
                         ": run tries a flow rule when it starts, and says whether the port counts by it");
            continue;
        }
        add_note(notes, NoteLevel::warning,
                 name + ": AF_PACKET and AF_XDP have no flow rules: capture.shunt does nothing there",
                 "set capture.shunt: off, or bind the port to a DPDK driver");
    }
}

} // namespace ftpsensor
