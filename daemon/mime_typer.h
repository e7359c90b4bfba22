// Types files by their first bytes (core/log/file_type.h), on a thread of its own: most take microseconds, but whoever
// makes the bytes can make it milliseconds. What it said of the same bytes is remembered, for the same files are
// fetched again and again: at most kKnownMax of them. Who asks for them again has the answer at once, without a word to
// the helper.
//
// Live, no entry waits for long: beyond kQuestionsMax open questions, or the patience for one of them, the answer is
// "no type", counted. Else whoever fetches many small files, or takes the processor from the helper, would stop the
// logger.
//
// Asked and answered by the logger thread; between the two the helper has time.
#pragma once

#include "core/log/entry_builder.h"
#include "core/log/file_type.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace ftpsensor {

class MimeTyper final : public TypeSource {
public:
    // `patience`: from the question on, live; offline (none) both submit() and take() wait as long as it takes.
    // `hash_secret` keys the table of first bytes, which strangers choose. `type_of` is called by the helper alone.
    using TypeOf = std::string_view(std::string_view first_bytes);
    MimeTyper(std::optional<std::chrono::milliseconds> patience, std::uint64_t hash_secret, EventCounters& events,
              TypeOf* type_of = &file_type);
    ~MimeTyper() override;

    std::uint64_t submit(std::string_view first_bytes, MimeStage stage) override;
    std::string_view take(std::uint64_t ticket) override;

private:
    static constexpr std::size_t kQuestionsMax = 1024;
    static constexpr std::size_t kKnownMax = 4096; // of at most 4 KiB each; then they are all forgotten
    using Clock = std::chrono::steady_clock;

    struct File { // known by its first bytes
        std::string bytes;
        std::string type;                  // empty: none
        std::atomic<bool> is_known{false}; // and the type stays as it is
        bool is_given_up = false;          // by mutex_: nobody waits for it
        std::size_t tickets = 0;           // that wait for it; the logger's
    };
    using FilePointer = std::shared_ptr<File>;
    struct Ticket {
        FilePointer file; // null: nobody was asked
        MimeStage stage = MimeStage::transferred;
        Clock::time_point until; // live: when nobody waits for it any more
    };
    struct BytesHash {
        std::uint64_t secret;
        std::size_t operator()(std::string_view bytes) const;
    };

    FilePointer ask(std::string_view first_bytes);
    bool wait_for(const FilePointer& file, Clock::time_point until);
    void run();

    std::optional<std::chrono::milliseconds> patience_;
    EventCounters& events_;
    TypeOf* type_of_;
    // The logger's: what was asked, and is known or will be; by bytes that the files own.
    std::unordered_map<std::string_view, FilePointer, BytesHash> known_;
    std::vector<Ticket> tickets_;
    std::vector<std::uint64_t> free_tickets_;
    FilePointer taken_;

    std::mutex mutex_;
    std::condition_variable asked_;
    std::condition_variable answered_;
    std::deque<FilePointer> questions_;
    bool stop_ = false;
    std::thread thread_;
};

} // namespace ftpsensor
