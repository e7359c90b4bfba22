#include "daemon/mime_typer.h"

#include <stdexcept>

#include <magic.h>
#include <pthread.h>

namespace ftpsensor {

MimeTyper::MimeTyper(bool wait_when_full, EventCounters& events) : wait_when_full_(wait_when_full), events_(events) {
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
    }
    asked_.notify_all();
    thread_.join();
    ::magic_close(static_cast<magic_t>(magic_));
}

std::uint64_t MimeTyper::submit(std::string_view first_bytes, MimeStage stage) {
    std::unique_lock lock(mutex_);
    if (questions_.size() >= kQuestionsMax && !wait_when_full_) {
        events_.count(Event::file_type_skipped);
        answers_.emplace(++tickets_, std::string());
        return tickets_;
    }
    answered_.wait(lock, [&] { return questions_.size() < kQuestionsMax; });
    questions_.push_back({++tickets_, std::string(first_bytes), stage});
    asked_.notify_one();
    return tickets_;
}

std::string_view MimeTyper::take(std::uint64_t ticket) {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return answers_.contains(ticket); });
    taken_ = std::move(answers_.extract(ticket).mapped());
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
        lock.unlock();
        std::string answer(reference_type(type_of(q.bytes), q.bytes));
        // The reference's file_transferred always names a type.
        if (answer.empty() && q.stage == MimeStage::transferred && !q.bytes.empty()) answer = "<unknown>";
        lock.lock();
        answers_.emplace(q.ticket, std::move(answer));
        answered_.notify_one();
    }
}

} // namespace ftpsensor
