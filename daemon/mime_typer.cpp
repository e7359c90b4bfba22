#include "daemon/mime_typer.h"

#include "core/base/bytes_hash.h"

#include <pthread.h>

namespace ftpsensor {

MimeTyper::MimeTyper(std::optional<std::chrono::milliseconds> patience, std::uint64_t hash_secret,
                     EventCounters& events, TypeOf* type_of)
    : patience_(patience), events_(events), type_of_(type_of), known_(16, BytesHash{hash_secret}) {
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
}

std::size_t MimeTyper::BytesHash::operator()(std::string_view bytes) const {
    return static_cast<std::size_t>(bytes_hash(bytes, secret));
}

std::uint64_t MimeTyper::submit(std::string_view first_bytes, MimeStage stage) {
    const auto known = known_.find(first_bytes);
    Ticket ticket{known != known_.end() ? known->second : ask(first_bytes), stage, {}};
    if (ticket.file) {
        ++ticket.file->tickets;
        if (patience_ && !ticket.file->is_known.load(std::memory_order_acquire))
            ticket.until = Clock::now() + *patience_;
    }
    if (free_tickets_.empty()) {
        tickets_.push_back(std::move(ticket));
        return tickets_.size() - 1;
    }
    const std::uint64_t number = free_tickets_.back();
    free_tickets_.pop_back();
    tickets_[number] = std::move(ticket);
    return number;
}

// Null: live, where too much is asked already.
MimeTyper::FilePointer MimeTyper::ask(std::string_view first_bytes) {
    auto file = std::make_shared<File>();
    {
        std::unique_lock lock(mutex_);
        if (patience_ && questions_.size() >= kQuestionsMax) {
            events_.count(Event::file_type_skipped);
            return nullptr;
        }
        answered_.wait(lock, [&] { return questions_.size() < kQuestionsMax; });
        file->bytes = first_bytes;
        questions_.push_back(file);
        asked_.notify_one();
    }
    if (known_.size() >= kKnownMax) known_.clear();
    known_.emplace(file->bytes, file);
    return file;
}

std::string_view MimeTyper::take(std::uint64_t number) {
    Ticket ticket = std::move(tickets_.at(number));
    free_tickets_.push_back(number);
    taken_ = std::move(ticket.file);
    if (!taken_) return {};
    --taken_->tickets;
    if (!wait_for(taken_, ticket.until)) {
        events_.count(Event::file_type_skipped);
        return {};
    }
    // The reference's file_transferred always names a type.
    if (taken_->type.empty() && ticket.stage == MimeStage::transferred && !taken_->bytes.empty()) return "<unknown>";
    return taken_->type;
}

// False: live, it took too long.
bool MimeTyper::wait_for(const FilePointer& file, Clock::time_point until) {
    const auto known = [&] { return file->is_known.load(std::memory_order_acquire); };
    if (known()) return true;
    std::unique_lock lock(mutex_);
    if (!patience_) {
        answered_.wait(lock, known);
        return true;
    }
    if (answered_.wait_until(lock, until, known)) return true;
    if (file->tickets != 0) return false;
    file->is_given_up = true; // who asks for it next has to ask again
    if (const auto found = known_.find(file->bytes); found != known_.end() && found->second == file)
        known_.erase(found);
    return false;
}

void MimeTyper::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        asked_.wait(lock, [&] { return stop_ || !questions_.empty(); });
        if (questions_.empty()) return;
        const FilePointer file = std::move(questions_.front());
        questions_.pop_front();
        if (file->is_given_up) continue;
        lock.unlock();
        file->type = type_of_(file->bytes);
        file->is_known.store(true, std::memory_order_release);
        lock.lock();
        answered_.notify_one();
    }
}

} // namespace ftpsensor
