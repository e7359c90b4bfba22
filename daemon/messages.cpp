#include "daemon/messages.h"

#include <cstdlib>
#include <memory>
#include <mutex>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

spdlog::level::level_enum spdlog_level(ConfigLevel level) {
    switch (level) {
    case ConfigLevel::debug: return spdlog::level::debug;
    case ConfigLevel::info: return spdlog::level::info;
    case ConfigLevel::warning: return spdlog::level::warn;
    case ConfigLevel::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

// The flag %*: the priority of sd-daemon(3), which are those of syslog(3).
class JournalPriority final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        const char priority = digit(message.level);
        out.push_back('<');
        out.push_back(priority);
        out.push_back('>');
    }
    std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
        return std::make_unique<JournalPriority>();
    }

private:
    static char digit(spdlog::level::level_enum level) {
        switch (level) {
        case spdlog::level::critical: return '2';
        case spdlog::level::err: return '3';
        case spdlog::level::warn: return '4';
        case spdlog::level::info: return '6';
        default: return '7';
        }
    }
};

std::unique_ptr<spdlog::formatter> formatter_of(MessageForm form) {
    const char* pattern = form == MessageForm::journal    ? "%*%n: %v"
                          : form == MessageForm::terminal ? "%l: %n: %v"
                                                          : "%Y-%m-%dT%H:%M:%S.%f%z %l: %n: %v";
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<JournalPriority>('*');
    formatter->set_pattern(pattern);
    return formatter;
}

// What loggers have in common: one sink, so that the form is a property of standard error and not of who asked first,
// and one level. spdlog's own initialize_logger() would put its formatter over the sink's.
struct Shared {
    std::mutex mutex; // guards making a logger (get and register are two steps) and `level`
    spdlog::level::level_enum level = spdlog::level::info;
    std::shared_ptr<spdlog::sinks::stderr_sink_mt> sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();

    Shared() { sink->set_formatter(formatter_of(message_form())); }
};

Shared& shared() {
    static Shared instance;
    return instance;
}

} // namespace

MessageForm message_form() {
    struct stat status {};
    if (::fstat(STDERR_FILENO, &status) == 0)
        if (const char* stream = std::getenv("JOURNAL_STREAM"); stream != nullptr)
            if (fmt::format("{}:{}", status.st_dev, status.st_ino) == stream) return MessageForm::journal;
    return ::isatty(STDERR_FILENO) == 1 ? MessageForm::terminal : MessageForm::plain;
}

void init_messages(ConfigLevel level) {
    const std::lock_guard lock(shared().mutex);
    shared().level = spdlog_level(level);
    shared().sink->set_formatter(formatter_of(message_form()));
    spdlog::set_level(shared().level); // of every logger that is registered
}

std::shared_ptr<spdlog::logger> messages(const std::string& name) {
    const std::lock_guard lock(shared().mutex);
    if (auto logger = spdlog::get(name)) return logger;
    auto logger = std::make_shared<spdlog::logger>(name, shared().sink);
    logger->set_level(shared().level);
    spdlog::register_logger(logger);
    return logger;
}

} // namespace ftpsensor
