#include "daemon/live/eal.h"

#include "daemon/messages.h"

#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr std::size_t kErrorsMax = 500; // characters kept for the report of a failed start

std::mutex g_errors_mutex; // DPDK's control threads log too
std::string g_errors;      // what DPDK called an error so far

// Of a size of huge pages that the machine has not reserved; the plan has said which size is used (hugepages.cpp).
bool is_of_other_page_size(std::string_view message) {
    return message.starts_with("EAL: No free ") && message.find(" hugepages reported on node ") != message.npos;
}

// One write is one message: rte_vlog() flushes after each.
ssize_t forward_message(void* cookie, const char* text, std::size_t size) {
    auto& log = *static_cast<spdlog::logger*>(cookie);
    std::string_view message(text, size);
    while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.remove_suffix(1);
    if (message.empty()) return static_cast<ssize_t>(size);
    const int level = rte_log_cur_msg_loglevel();
    if (level > 0 && level <= static_cast<int>(RTE_LOG_ERR)) {
        const std::lock_guard lock(g_errors_mutex);
        if (g_errors.size() < kErrorsMax) g_errors.append(g_errors.empty() ? "" : "; ").append(message);
    }
    if (level > static_cast<int>(RTE_LOG_NOTICE) || is_of_other_page_size(message)) {
        log.debug("{}", message);
    } else if (level == static_cast<int>(RTE_LOG_NOTICE)) {
        log.info("{}", message);
    } else {
        // What DPDK calls an error is often a probe that found nothing; what stops the sensor is said by the sensor.
        log.warn("{}", message);
    }
    return static_cast<ssize_t>(size);
}

void route_messages() {
    cookie_io_functions_t functions{};
    functions.write = forward_message;
    static const auto logger = messages("dpdk"); // as long as the process, as is the stream
    if (std::FILE* stream = fopencookie(logger.get(), "w", functions)) rte_openlog_stream(stream);
}

std::string errors() {
    const std::lock_guard lock(g_errors_mutex);
    return g_errors;
}

// While it lives, what is printed goes nowhere: of an argument that is not its EAL says so in a message, and then
// prints a hundred lines of usage. Nothing else prints as early as that.
class NoOutput {
public:
    NoOutput() : nowhere_(std::fopen("/dev/null", "we")) {
        if (nowhere_ != nullptr) std::swap(stdout, nowhere_);
    }
    ~NoOutput() {
        if (nowhere_ == nullptr) return;
        std::swap(stdout, nowhere_);
        std::fclose(nowhere_);
    }
    NoOutput(const NoOutput&) = delete;
    NoOutput& operator=(const NoOutput&) = delete;

private:
    std::FILE* nowhere_; // standard output, once it is swapped
};

int init(std::vector<char*>& argv) {
    const NoOutput quiet;
    return rte_eal_init(static_cast<int>(argv.size()) - 1, argv.data());
}

// EAL leaves its run-time folder, and in it the telemetry's socket until the process ends.
void remove_folder() {
    const std::string folder = rte_eal_get_runtime_dir();
    if (folder.empty()) return; // it did not come so far
    ::unlink((folder + "/dpdk_telemetry.v2").c_str());
    ::rmdir(folder.c_str()); // where nothing else is in it
}

[[noreturn]] void refuse(const EalPlan& plan, const std::string& line, int error) {
    const std::string reason = errors();
    const bool not_arguments = reason.find("command line") != reason.npos; // the words of each version of EAL
    if (plan.given != 0 && not_arguments)
        throw ConfigError("eal.eal_args: DPDK does not take them (" + reason + "); its arguments were: " + line +
                          "; leave out of eal.eal_args what is not one, or has a wrong value");
    throw std::runtime_error("DPDK did not start (" + (reason.empty() ? rte_strerror(error) : reason) +
                             "); its arguments were: " + line + "; see eal.* in the config and `ftpsensord check`");
}

} // namespace

Eal::Eal(const EalPlan& plan) : arguments_{"ftpsensord"} {
    arguments_.insert(arguments_.end(), plan.arguments.begin(), plan.arguments.end());
    std::vector<char*> argv;
    std::string line;
    for (auto& argument : arguments_) {
        argv.push_back(argument.data());
        line += (line.empty() ? "" : " ") + argument;
    }
    argv.push_back(nullptr);
    route_messages();
    if (init(argv) >= 0) return;
    const int error = rte_errno;
    if (const std::string folder = rte_eal_get_runtime_dir(); // else it may be another process's
        folder.ends_with("/ftpsensor-" + std::to_string(getpid())))
        remove_folder();
    refuse(plan, line, error);
}

Eal::~Eal() {
    rte_eal_cleanup();
    remove_folder();
}

} // namespace ftpsensor
