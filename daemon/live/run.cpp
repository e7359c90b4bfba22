// `ftpsensord run`: live capture until SIGTERM or SIGINT.
//
// The main thread owns everything here and never touches a packet: it waits for signals and for a tick a second, which
// asks the kernel for its drops, looks after the links, and tells systemd (sd_notify(3)) how things are. The logs
// follow the clock by the workers' idle polls.
#include "daemon/commands.h"
#include "daemon/live/ending.h"
#include "daemon/live/live_report.h"
#include "daemon/live/live_sensor.h"
#include "daemon/live/reloader.h"
#include "daemon/live/telemetry.h"
#include "daemon/messages.h"
#include "daemon/stats/outlets.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr int kReadyCheckMs = 5; // how often to look for the first poll of every queue

class FileDescriptor {
public:
    explicit FileDescriptor(int fd) : fd_(fd) {
        if (fd_ < 0)
            throw std::runtime_error(std::string("cannot make a signal or timer descriptor: ") + std::strerror(errno));
    }
    ~FileDescriptor() { close(fd_); }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

// Blocks the signals for this thread and all that it starts; hence before EAL and the Engine.
int block_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int second_timer() {
    const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    const itimerspec each_second{.it_interval = {.tv_sec = 1, .tv_nsec = 0}, .it_value = {.tv_sec = 1, .tv_nsec = 0}};
    if (fd >= 0) timerfd_settime(fd, 0, &each_second, nullptr);
    return fd;
}

class RunLoop {
public:
    RunLoop(LiveSensor& sensor, Outlets& outlets, LiveReport& report, Reloader& reloader, spdlog::logger& log)
        : sensor_(sensor), outlets_(outlets), report_(report), reloader_(reloader), log_(log) {}

    void until_stopped(int signals, int timer) {
        while (!stopped_ && !sensor_.a_worker_failed() && !sensor_.a_port_was_replaced()) {
            pollfd waits[2] = {{signals, POLLIN, 0}, {timer, POLLIN, 0}};
            ::poll(waits, 2, ready_ ? -1 : kReadyCheckMs);
            if (!ready_ && sensor_.every_queue_polled()) tell_ready();
            if ((waits[1].revents & POLLIN) != 0) tick(timer);
            if ((waits[0].revents & POLLIN) != 0) take_signals(signals);
        }
    }

private:
    void tell_ready() {
        ready_ = true;
        log_.info("capturing");
        sd_notify(0, "READY=1\nSTATUS=capturing");
    }

    void tick(int timer) {
        std::uint64_t expirations = 0;
        if (read(timer, &expirations, sizeof expirations) < 0) return;
        Notes notes;
        sensor_.check_links(notes);
        sensor_.check_clock(notes);
        log_notes(log_, notes);
        Snapshot snapshot = sensor_.snapshot();
        reloader_.add_figures(snapshot.sensor);
        report_.tick(outlets_.publish(std::move(snapshot)));
        sd_notify(0, ("STATUS=" + report_.status()).c_str());
        if (sensor_.all_advanced()) sd_notify(0, "WATCHDOG=1");
    }

    // What waits, and then back to the tick: reloads that are asked for without end must not keep the watchdog waiting,
    // nor a stop, which is read behind them.
    void take_signals(int signals) {
        std::array<signalfd_siginfo, 4> waiting{};
        const ssize_t bytes = read(signals, waiting.data(), sizeof waiting);
        const auto count = bytes < 0 ? 0 : static_cast<std::size_t>(bytes) / sizeof waiting[0];
        bool wants_reload = false;
        for (std::size_t i = 0; i < count; ++i) {
            if (waiting[i].ssi_signo == SIGHUP) {
                wants_reload = true;
                continue;
            }
            if (!stopped_) log_.info("stopping on {}", waiting[i].ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
            stopped_ = true;
        }
        if (wants_reload && !stopped_)
            reloader_.reload({[this](const Config& config) { return sensor_.reload(config); },
                              [this](const ReloadPlan& plan) { outlets_.reload(plan); }});
    }

    LiveSensor& sensor_;
    Outlets& outlets_;
    LiveReport& report_;
    Reloader& reloader_;
    spdlog::logger& log_;
    bool ready_ = false;
    bool stopped_ = false;
};

// What was found on the way to a start that fails may be why: it is told before the failure itself.
class NotesOfStart {
public:
    explicit NotesOfStart(spdlog::logger& log) : log_(log) {}
    ~NotesOfStart() { tell(); }
    NotesOfStart(const NotesOfStart&) = delete;
    NotesOfStart& operator=(const NotesOfStart&) = delete;
    void tell() { log_notes(log_, std::exchange(found, {})); }

    Notes found;

private:
    spdlog::logger& log_;
};

} // namespace

int run_command(const CommandLine& command_line) {
    const FileDescriptor signals(block_signals());
    const auto log = messages("capture");
    NotesOfStart notes(*log);
    LiveSensor sensor(command_line, notes.found);
    sensor.start(notes.found);
    notes.tell();

    Outlets outlets(command_line.config, sensor.snapshot(), messages("metrics"));
    tell_telemetry(outlets.board());
    LiveReport report(log, command_line.config.log.directory, outlets.latest());
    const FileDescriptor timer(second_timer());
    Reloader reloader(command_line);
    RunLoop(sensor, outlets, report, reloader, *log).until_stopped(signals.get(), timer.get());

    {
        const Ending ending(
            signals.get(), [&sensor] { return sensor.progress(); }, log);
        sensor.stop(); // throws what ended a worker
    }
    std::vector<std::pair<std::string, std::uint64_t>> details;
    for (auto& port : sensor.ports())
        for (auto& [name, value] : port->loss_details()) details.emplace_back(port->name() + ": " + name, value);
    Snapshot last = sensor.snapshot();
    reloader.add_figures(last.sensor);
    report.summary(outlets.finish(std::move(last)), details);
    if (!sensor.logs_are_finished())
        log->warn("not all that was logged is in finished files; what is left in {}/current the next start takes up",
                  command_line.config.log.directory);
    return sensor.a_port_was_replaced() ? kExitFailure : kExitSuccess; // systemd starts it again
}

} // namespace ftpsensor
