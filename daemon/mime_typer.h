// Types files by their first bytes, on a thread of its own: libmagic takes half a millisecond and more for one. What it
// said of the same bytes is remembered, for the same files are fetched again and again: at most kKnownMax of them.
//
// Live, no entry waits for long: beyond kQuestionsMax open questions, or the patience for one of them, the answer is
// "no type", counted. Else whoever fetches many small files, or takes the processor from the helper, would stop the
// logger.
//
// Asked and answered by the logger thread; between the two the helper has time. Names are those of the reference: see
// reference_type().
#pragma once

#include "core/log/entry_builder.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

namespace ftpsensor {

class MimeTyper final : public TypeSource {
public:
    // `patience`: from the question on, live; offline (none) both submit() and take() wait as long as it takes. Throws
    // std::runtime_error where libmagic has no database.
    MimeTyper(std::optional<std::chrono::milliseconds> patience, EventCounters& events);
    ~MimeTyper() override;

    std::uint64_t submit(std::string_view first_bytes, MimeStage stage) override;
    std::string_view take(std::uint64_t ticket) override;

private:
    static constexpr std::size_t kQuestionsMax = 1024;
    static constexpr std::size_t kKnownMax = 4096; // of at most 4 KiB each; then they are all forgotten
    void run();
    const std::string& type_of(const std::string& bytes); // libmagic's; the helper's thread

    using Clock = std::chrono::steady_clock;

    struct Question {
        std::uint64_t ticket;
        std::string bytes;
        MimeStage stage;
    };
    struct Answer {
        Clock::time_point until; // live: when nobody waits for it any more
        bool is_known = false;
        std::string type;
    };
    std::mutex mutex_;
    std::condition_variable asked_;
    std::condition_variable answered_;
    std::deque<Question> questions_;
    std::unordered_map<std::uint64_t, Answer> answers_; // of tickets that were not taken yet
    std::uint64_t tickets_ = 0;
    std::optional<std::chrono::milliseconds> patience_;
    EventCounters& events_;
    bool stop_ = false;
    std::string taken_;
    std::unordered_map<std::string, std::string> known_; // bytes to type; the helper's thread alone
    void* magic_ = nullptr;                              // magic_t
    std::thread thread_;
};

// The reference's name for the type of these bytes, where libmagic says `type`; empty where the reference has none.
std::string_view reference_type(std::string_view type, std::string_view bytes);

} // namespace ftpsensor
