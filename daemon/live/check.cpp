// `ftpsensord check`: what `run` would do with this config on this machine, and what stands in its way.
//
// Changes nothing, but with --fix, and opens nothing but ports of DPDK's own drivers, where several workers would share
// them: what they take of RSS shows only once they are started. Each line that is not plain information says what to
// type.
#include "config/units.h"
#include "daemon/commands.h"
#include "daemon/live/af_xdp.h"
#include "daemon/live/ask_ports.h"
#include "daemon/live/eal.h"
#include "daemon/live/filter.h"
#include "daemon/live/fix.h"
#include "daemon/live/interface.h"
#include "daemon/live/live_sensor.h"
#include "daemon/live/outlet_places.h"
#include "daemon/live/pci.h"
#include "daemon/live/permissions.h"
#include "daemon/live/ring_geometry.h"
#include "daemon/live/service_unit.h"
#include "daemon/live/service_user.h"
#include "daemon/live/shunt.h"
#include "daemon/live/spread.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

void check_filter(const std::string& expression, Notes& notes) {
    if (expression.empty()) return;
    try {
        const PacketFilter filter(expression);
        add_note(notes, NoteLevel::info, "only packets that match: " + expression);
    } catch (const std::runtime_error& error) {
        add_note(notes, NoteLevel::problem, error.what());
    }
}

// As whom the sensor will run: root checks for the service, where there is one, anybody else for themselves.
User acting_user() {
    if (geteuid() == 0)
        if (auto service = find_user(kServiceUser)) return *service;
    return this_user();
}

// Returns the memory that the rings of the interface lock.
std::uint64_t check_interface_port(const Config& config, const std::string& name, Notes& notes) {
    const InterfaceState state = inspect_interface(name);
    check_interface(name, state, notes);
    if (!state.exists) return 0;
    const auto ring = ring_geometry(config.capture.ring_bytes, longest_frame(state, config.capture.snaplen),
                                    static_cast<std::uint32_t>(getpagesize()));
    add_note(notes, NoteLevel::info,
             fmt::format(
                 "{}: net_af_packet, promiscuous, MTU {}; {} queue{}, a ring of {} frames of up to {} bytes each", name,
                 state.mtu, config.workers.count, config.workers.count == 1 ? "" : "s", ring.frames, ring.cut_at));
    if (!state.glueing.empty() && !state.loopback)
        add_fixable_note(notes, NoteLevel::info,
                         name + ": offloads that glue packets together are on; run switches them off",
                         offload_command(name, state.glueing));
    bool elsewhere = false;
    veth_peer(name, elsewhere);
    if (elsewhere)
        add_note(notes, NoteLevel::info, name + ": the other end of this veth pair is in another network namespace",
                 "in that namespace: ethtool -K OTHER_END tso off gso off");
    return config.workers.count * ring.locked_bytes();
}

void check_af_xdp_port(const Config& config, const std::string& name, Notes& notes) {
    const InterfaceState state = inspect_interface(name);
    check_interface(name, state, notes);
    if (!state.exists) return;
    const AfXdpState xdp = inspect_af_xdp(name);
    add_note(notes, NoteLevel::info,
             fmt::format("{}: net_af_xdp, promiscuous, MTU {}; {} queue{}, frames of up to {} bytes", name, state.mtu,
                         xdp.queues, xdp.queues == 1 ? "" : "s", kAfXdpFrameMax));
    check_af_xdp(name, state, xdp, config.workers.count, notes);
}

void check_pci_port(const Config& config, const std::string& address, Notes& notes) {
    const PciState state = inspect_pci(address);
    check_pci(address, state, notes);
    if (!state.exists) return;
    add_note(notes, NoteLevel::info,
             fmt::format("{}: a DPDK port, {} queues of {} descriptors, driver {}, NUMA node {}", address,
                         config.workers.count, config.capture.rx_descriptors,
                         state.driver.empty() ? "none" : state.driver, state.numa_node));
    if (state.driver == "vfio-pci") check_vfio_node(address, state.iommu_group, acting_user(), notes);
}

std::uint64_t check_port(const Config& config, const PortConfig& port, Notes& notes) {
    if (!port.interface.empty()) return check_interface_port(config, port.interface, notes);
    if (!port.af_xdp.empty()) {
        check_af_xdp_port(config, port.af_xdp, notes);
        return 0;
    }
    if (!port.pci.empty()) {
        check_pci_port(config, port.pci, notes);
        return 0;
    }
    add_note(notes, NoteLevel::info, port.vdev + ": a virtual device that DPDK makes when run starts");
    return 0;
}

// Whether packets will go to other workers, and why, as far as the ports can be known here.
void check_steering(const Config& config, std::vector<PortSpread> spreads, Notes& notes) {
    const std::uint32_t workers = config.workers.count;
    for (const PortConfig& port : config.capture.ports) {
        if (!port.interface.empty())
            spreads.push_back({port.interface, PortKind::interface, workers, parts_by_kind(PortKind::interface)});
        if (!port.af_xdp.empty()) {
            const std::uint32_t queues = std::min(inspect_af_xdp(port.af_xdp).queues, workers);
            spreads.push_back(
                {port.af_xdp, PortKind::af_xdp, queues, queues > 1 ? parts_by_kind(PortKind::af_xdp) : ""});
        }
    }
    if (const std::string why = resteer_reason(config, spreads); !why.empty())
        add_note(notes, NoteLevel::info,
                 "packets go to the worker that owns their addresses (capture.resteer): " + why);
    if (workers < 2 || config.capture.resteer != ConfigResteer::off) return;
    for (const PortSpread& spread : spreads)
        if (!spread.parts.empty())
            add_note(notes, NoteLevel::info, spread.name + ": " + spread.parts, "capture.resteer: auto");
}

bool has_problem(const Notes& notes) {
    return std::any_of(notes.begin(), notes.end(), [](const Note& n) { return n.level == NoteLevel::problem; });
}

// What retention would do on this disk as it is now: better known before the first file has gone.
void check_room(const Config& config, const std::string& directory, Notes& notes) {
    struct statvfs disk {};
    const std::uint64_t wanted = config.log.retention.free;
    if (wanted == 0 || statvfs(directory.c_str(), &disk) != 0) return;
    const std::uint64_t there = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    if (there >= wanted) return;
    if (const std::uint64_t whole = std::uint64_t{disk.f_blocks} * disk.f_frsize; whole < wanted)
        return add_note(
            notes, NoteLevel::warning,
            fmt::format("log.retention.free: {} are to stay free, and the whole disk of {} has {} MiB: nothing "
                        "is removed for it",
                        format_size(wanted), directory, whole >> 20),
            "set log.retention.free to what the disk can have free");
    add_note(notes, NoteLevel::warning,
             fmt::format("log.retention.free: {} are to stay free, and the disk of {} has {} MiB: finished logs are "
                         "removed soon after they end, all but the current ones",
                         format_size(wanted), directory, there >> 20),
             fmt::format("make room, or set log.retention.free to less than {}MiB",
                         std::max<std::uint64_t>(there >> 20, 1)));
}

// Of a folder that is to be made: the service's, where there is one, whoever asks.
std::string owner_options() {
    if (find_user(kServiceUser)) return fmt::format("-o {0} -g {0}", kServiceUser);
    return fmt::format("-o {}", geteuid());
}

void check_directory(const Config& config, Notes& notes) {
    const std::string& directory = config.log.directory;
    namespace fs = std::filesystem;
    std::error_code error;
    fs::path existing = fs::absolute(directory, error);
    while (!fs::exists(existing, error) && existing.has_relative_path()) existing = existing.parent_path();
    const bool there = existing == fs::absolute(directory, error);
    if (!fs::is_directory(existing, error) || access(existing.c_str(), W_OK | X_OK) != 0)
        add_note(notes, NoteLevel::problem,
                 fmt::format("log.directory: {} {}", directory, there ? "is not writable" : "cannot be made"),
                 fmt::format("install -d -m 0750 {} {}", owner_options(), shell_words({directory})));
    else
        add_note(notes, NoteLevel::info, fmt::format("logs go to {}{}", directory, there ? "" : ", which run makes"));
    check_room(config, existing, notes);
}

// Of the unit, where there is one: it has a user and a sandbox that whoever checks as root does not have.
void check_service(const Config& config, const std::string& config_path, Notes& notes) {
    if (geteuid() == 0 && find_user(kServiceUser)) check_service_unit(config, config_path, notes);
}

// Huge pages are taken from what other programs have: only where half of it is left is that safe to do by itself.
Notes eal_notes(EalPlan& plan) {
    if (available_memory_bytes() < 2 * plan.memory.bytes)
        for (Note& note : plan.notes) note.fix.clear();
    return plan.notes;
}

// `ask`: ports of DPDK's own drivers, which is done once.
void check_machine(const Config& config, bool ask, Notes& notes) {
    const auto cpus = allowed_cpus();
    check_placement(config, cpus, notes);
    add_note(notes, NoteLevel::info,
             fmt::format("{} worker{} on CPUs {}", config.workers.count, config.workers.count == 1 ? "" : "s",
                         cpu_list(config.workers.cpus.empty() ? cpus : config.workers.cpus)));
    std::uint64_t locked_bytes = 0;
    for (const auto& port : config.capture.ports) locked_bytes += check_port(config, port, notes);
    check_shunt(config.capture, notes);
    check_permissions(read_permissions(), config.capture, locked_bytes, notes);
    EalPlan plan = plan_eal(config, read_hugepage_pools(), cpus, getpid());
    for (Note& note : eal_notes(plan)) notes.push_back(std::move(note));
    std::vector<PortSpread> spreads;
    if (ask && wants_to_ask(config) && !has_problem(notes)) spreads = ask_ports(config, plan, notes);
    check_steering(config, std::move(spreads), notes);
    std::string arguments;
    for (const auto& argument : plan.arguments) arguments += " " + argument;
    add_note(notes, NoteLevel::info, "EAL arguments:" + arguments);
}

Notes inspect(const CommandLine& command_line, bool ask) {
    const Config& config = command_line.config;
    Notes notes;
    check_filter(config.capture.filter, notes);
    check_machine(config, ask, notes);
    check_directory(config, notes);
    check_log_group(config.log.group, acting_user(), notes);
    check_log_folder(config.log.group, config.log.directory, notes);
    check_service(config, command_line.config_path, notes);
    check_outlet_places(as_service(config, command_line.config_path), notes);
    return notes;
}

std::string line_of(const FixResult& result) {
    return result.done ? result.command : fmt::format("{}: {}", result.command, result.said);
}

int print(const Notes& notes) {
    int problems = 0;
    for (const auto& note : notes) {
        const char* label = note.level == NoteLevel::info      ? "ok"
                            : note.level == NoteLevel::warning ? "warning"
                                                               : "problem";
        problems += note.level == NoteLevel::problem ? 1 : 0;
        fmt::print("{:>8}  {}\n", label, note.text);
        if (!note.remedy.empty()) fmt::print("{:>8}  try: {}\n", "", note.remedy);
    }
    return problems;
}

} // namespace

int check_command(const CommandLine& command_line) {
    const Config& config = command_line.config;
    fmt::print("# {}\n{}\n", command_line.config_path.empty() ? "built-in defaults" : command_line.config_path,
               describe(config));
    Notes notes = inspect(command_line, !command_line.fix);
    if (command_line.fix) {
        const auto results = run_fixes(notes);
        for (const auto& result : results) fmt::print("{:>8}  {}\n", result.done ? "done" : "failed", line_of(result));
        if (results.empty()) fmt::print("{:>8}  nothing that can be mended safely\n", "done");
        notes = inspect(command_line, true); // as it is now
    }
    const int problems = print(notes);
    std::fflush(stdout);
    if (problems == 0) return kExitSuccess;
    fmt::print(stderr, "{} problem{} keep{} run from working\n", problems, problems == 1 ? "" : "s",
               problems == 1 ? "s" : "");
    return kExitFailure;
}

} // namespace ftpsensor
