#include "daemon/live/live_sensor.h"

#include "core/base/memory_node.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <pthread.h>
#include <rte_lcore.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr unsigned long kTimerSlackNs = 1000; // the kernel's 50 µs would stretch every short sleep

void refuse_problems(const Notes& notes) {
    for (const auto& note : notes)
        if (note.level == NoteLevel::problem)
            throw ConfigError(note.text + (note.remedy.empty() ? "" : "; try: " + note.remedy));
}

void pin_to(std::uint32_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set); // checked before: check_placement()
}

bool polls_adaptively(const CaptureConfig& capture) {
    if (capture.poll != ConfigPoll::automatic) return capture.poll == ConfigPoll::adaptive;
    return std::all_of(capture.ports.begin(), capture.ports.end(),
                       [](const PortConfig& port) { return port.pci.empty(); });
}

} // namespace

std::string worker_name(std::uint32_t worker) { return fmt::format("worker-{:02}", worker + 1); }

LiveSensor::LiveSensor(const CommandLine& command_line, Notes& notes) : command_line_(command_line) {
    const Config& config = command_line_.config;
    const auto cpus = allowed_cpus();
    check_placement(config, cpus, notes);
    refuse_problems(notes);
    if (!config.capture.filter.empty()) filter_.emplace(config.capture.filter);

    const EalPlan plan = plan_eal(config, read_hugepage_pools(), cpus, getpid());
    notes.insert(notes.end(), plan.notes.begin(), plan.notes.end());
    if (!plan.memory.possible) throw_first_problem(plan.notes); // of the machine: it may be otherwise in a minute
    eal_ = std::make_unique<Eal>(plan);
    for (const auto& port : config.capture.ports)
        ports_.push_back(std::make_unique<Port>(port, config, ports_.size(), notes));
    nodes_ = worker_nodes(config, notes);
    if (config.capture.shunt != ConfigShunt::off)
        shunt_ = std::make_unique<Shunt>(config.capture, config.workers.count);
    engine_ = std::make_unique<Engine>(config, EngineMode::live, command_line_.seed, nodes_, shunt_.get());
}

void LiveSensor::set_up_steering(Notes& notes) {
    const Config& config = command_line_.config;
    std::vector<PortSpread> spreads;
    for (const auto& port : ports_) spreads.push_back(port->spread());
    const std::string why = resteer_reason(config, spreads);
    if (why.empty()) return;
    steering_ = std::make_unique<SteeringRings>(config.workers.count, config.capture.resteer_packets);
    add_note(notes, NoteLevel::info, "packets go to the worker that owns their addresses (capture.resteer): " + why);
}

LiveSensor::~LiveSensor() {
    try {
        stop();
    } catch (const std::exception&) {
        // on the way out of an error that is being reported already
    }
}

void LiveSensor::start(Notes& notes) {
    const Config& config = command_line_.config;
    engine_->start();
    running_ = true;
    started_ = host_clock();
    started_monotonic_ = monotonic_clock();
    link_down_seconds_.resize(ports_.size());
    for (auto& port : ports_) port->start(notes);
    set_up_steering(notes); // by what the ports took
    start_shunt(notes);
    for (auto& port : ports_) port->begin();
    const RxOptions options{static_cast<std::uint16_t>(config.capture.burst), config.capture.snaplen,
                            polls_adaptively(config.capture), filter_ ? &*filter_ : nullptr, steering_.get()};
    failures_.resize(config.workers.count);
    polls_seen_.resize(config.workers.count);
    for (std::uint32_t worker = 0; worker < config.workers.count; ++worker) {
        std::vector<RxSource> sources;
        for (const auto& port : ports_)
            if (const auto source = port->source(worker)) sources.push_back(*source);
        const OnNode here(nodes_[worker]);
        loops_.push_back(std::make_unique<RxLoop>(*engine_, worker, sources, options));
    }
    for (std::uint32_t worker = 0; worker < config.workers.count; ++worker)
        threads_.emplace_back([this, worker] { work(worker); });
}

void LiveSensor::start_shunt(Notes& notes) {
    if (!shunt_) return;
    std::vector<std::unique_ptr<FlowRules>> rules;
    for (const auto& port : ports_) rules.push_back(rte_flow_rules(port->port_id(), port->name()));
    shunt_->probe(std::move(rules), notes);
    shunt_->start();
}

void LiveSensor::work(std::uint32_t worker) {
    pthread_setname_np(pthread_self(), worker_name(worker).c_str());
    prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
    const auto& cpus = command_line_.config.workers.cpus;
    if (!cpus.empty()) pin_to(cpus[worker]);
    const OnNode here(nodes_[worker]); // and what it allocates later
    // More workers than EAL has lcores (128): the rest use the pools without a cache of their own.
    const bool registered = rte_thread_register() == 0;
    try {
        loops_[worker]->run(stop_);
    } catch (...) {
        failures_[worker] = std::current_exception();
        failed_.store(true, std::memory_order_release);
    }
    if (registered) rte_thread_unregister();
}

void LiveSensor::stop() {
    if (!running_) return;
    running_ = false;
    if (shunt_) shunt_->stop(); // while the workers take what it reports
    for (auto& port : ports_) port->freeze_losses();
    stop_.store(true, std::memory_order_relaxed);
    for (auto& thread : threads_) thread.join();
    if (steering_) steering_->close();
    for (auto& port : ports_) port->stop();
    for (const auto& failure : failures_)
        if (failure) std::rethrow_exception(failure);
    if (shunt_ && shunt_->failed()) shunt_->rethrow_failure();
    // A start that failed half-way left workers that never were: their end is what the Engine's logger would wait for.
    // Its destructor does not.
    if (threads_.size() == engine_->workers()) logs_are_finished_ = engine_->stop();
}

bool LiveSensor::every_queue_polled() const {
    return std::all_of(loops_.begin(), loops_.end(),
                       [](const auto& loop) { return loop->counts().polls.load(std::memory_order_relaxed) != 0; });
}

bool LiveSensor::all_advanced() {
    const std::uint64_t beats = engine_->logger_beats();
    bool all = beats != logger_beats_seen_;
    logger_beats_seen_ = beats;
    for (std::size_t worker = 0; worker < loops_.size(); ++worker) {
        const std::uint64_t polls = loops_[worker]->counts().polls.load(std::memory_order_relaxed);
        all = all && polls != polls_seen_[worker];
        polls_seen_[worker] = polls;
    }
    return all;
}

// Once a second, so that what it counts are seconds.
void LiveSensor::check_links(Notes& notes) {
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        ports_[i]->check_link(notes);
        if (!ports_[i]->link_up()) ++link_down_seconds_[i];
    }
}

bool LiveSensor::a_port_was_replaced() const {
    return std::any_of(ports_.begin(), ports_.end(), [](const auto& port) { return port->replaced(); });
}

} // namespace ftpsensor
