#include "daemon/mime_typer.h"

#include <stdexcept>

#include <magic.h>
#include <pthread.h>

namespace ftpsensor {

MimeTyper::MimeTyper(std::optional<std::chrono::milliseconds> patience, EventCounters& events)
    : patience_(patience), events_(events) {
    magic_t magic = ::magic_open(MAGIC_MIME_TYPE);
    if (magic == nullptr || ::magic_load(magic, nullptr) != 0) {
        const std::string why =
            magic != nullptr && ::magic_error(magic) != nullptr ? ::magic_error(magic) : "no memory";
        if (magic != nullptr) ::magic_close(magic);
        throw std::runtime_error("the database of file types cannot be loaded: " + why +
                                 "; install the package libmagic-mgc");
    }
    magic_ = magic;
    thread_ = std::thread([this] { run(); });
    ::pthread_setname_np(thread_.native_handle(), "fs-types");
}

MimeTyper::~MimeTyper() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
        questions_.clear(); // nobody is left to hear the answers
    }
    asked_.notify_all();
    thread_.join();
    ::magic_close(static_cast<magic_t>(magic_));
}

std::uint64_t MimeTyper::submit(std::string_view first_bytes, MimeStage stage) {
    std::unique_lock lock(mutex_);
    Answer& answer = answers_[++tickets_];
    if (patience_) {
        answer.is_known = questions_.size() >= kQuestionsMax;
        if (answer.is_known) {
            events_.count(Event::file_type_skipped);
            return tickets_;
        }
        answer.until = Clock::now() + *patience_;
    }
    answered_.wait(lock, [&] { return questions_.size() < kQuestionsMax; });
    questions_.push_back({tickets_, std::string(first_bytes), stage});
    asked_.notify_one();
    return tickets_;
}

std::string_view MimeTyper::take(std::uint64_t ticket) {
    std::unique_lock lock(mutex_);
    Answer& answer = answers_.at(ticket); // stays where it is: only this thread adds and takes
    const auto known = [&] { return answer.is_known; };
    if (!patience_)
        answered_.wait(lock, known);
    else if (!answered_.wait_until(lock, answer.until, known))
        events_.count(Event::file_type_skipped);
    taken_ = std::move(answer.type);
    answers_.erase(ticket);
    return taken_;
}

const std::string& MimeTyper::type_of(const std::string& bytes) {
    if (const auto known = known_.find(bytes); known != known_.end()) return known->second;
    const char* type =
        bytes.empty() ? nullptr : ::magic_buffer(static_cast<magic_t>(magic_), bytes.data(), bytes.size());
    if (known_.size() >= kKnownMax) known_.clear();
    return known_.emplace(bytes, type == nullptr ? "" : type).first->second;
}

void MimeTyper::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        asked_.wait(lock, [&] { return stop_ || !questions_.empty(); });
        if (questions_.empty()) return;
        const Question q = std::move(questions_.front());
        questions_.pop_front();
        if (!answers_.contains(q.ticket)) continue; // nobody waits for it any more
        lock.unlock();
        std::string answer(reference_type(type_of(q.bytes), q.bytes));
        // The reference's file_transferred always names a type.
        if (answer.empty() && q.stage == MimeStage::transferred && !q.bytes.empty()) answer = "<unknown>";
        lock.lock();
        if (const auto asked = answers_.find(q.ticket); asked != answers_.end()) {
            asked->second.type = std::move(answer);
            asked->second.is_known = true;
        }
        answered_.notify_one();
    }
}

} // namespace ftpsensor
