#include "core/ftp/pending.h"

#include <algorithm>
#include <cstring>

namespace ftpsensor {

namespace {

// Linear in both lengths, whatever they hold: memmem(3) of the GNU and musl libraries is the two-way algorithm.
bool contains(std::string_view text, std::string_view part) {
    if (part.empty()) return true;
    if (part.size() > text.size()) return false;
    return memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

} // namespace

void PendingCommands::reset(std::size_t commands_max) {
    constexpr std::size_t kKeptBytes = 1024;
    commands_.clear();
    commands_.reserve(commands_max);
    text_.release(kKeptBytes);
    last_number_ = 0;
}

bool PendingCommands::push(FtpCommand command, std::string_view name, std::string_view argument, Timestamp sent,
                           std::uint32_t channel, std::uint32_t previous_channel) {
    ++last_number_;
    if (text_.room() < name.size()) return false;
    PendingCommand& added = commands_.emplace_back();
    added.sent = sent;
    added.number = last_number_;
    added.text_offset = static_cast<std::uint32_t>(text_.size());
    added.name_bytes = static_cast<std::uint8_t>(text_.append(name));
    added.argument_bytes = static_cast<std::uint32_t>(text_.append(argument));
    added.channel = channel;
    added.previous_channel = previous_channel;
    added.command = command;
    return added.argument_bytes == argument.size();
}

PendingCommand* PendingCommands::best_match(std::uint32_t reply_code, std::string_view reply_text) {
    if (commands_.empty()) return nullptr;
    PendingCommand* best = &commands_.front();
    if (commands_.size() == 1) return best;
    int best_score = -1;
    for (PendingCommand& candidate : commands_) {
        const int candidate_score = score(candidate, reply_code, reply_text);
        if (candidate_score <= best_score) continue;
        best_score = candidate_score;
        best = &candidate;
    }
    return best;
}

int PendingCommands::score(const PendingCommand& command, std::uint32_t reply_code, std::string_view reply_text) const {
    constexpr int kFitsCode = 100;
    constexpr int kNamesCommand = 20;
    constexpr int kRepeatsArgument = 10; // no argument is repeated by any text
    int total = 0;
    if (answers(command.command, reply_code)) total += kFitsCode;
    if (contains(reply_text, name(command))) total += kNamesCommand;
    if (contains(reply_text, argument(command))) total += kRepeatsArgument;
    return total;
}

PendingCommand* PendingCommands::find(std::uint32_t number) {
    const auto found = std::find_if(commands_.begin(), commands_.end(),
                                    [number](const PendingCommand& c) { return c.number == number; });
    return found == commands_.end() ? nullptr : &*found;
}

void PendingCommands::remove(const PendingCommand& command) {
    const std::uint32_t bytes = command.name_bytes + command.argument_bytes;
    const auto at = commands_.begin() + (&command - commands_.data());
    text_.erase(command.text_offset, bytes);
    for (auto later = at + 1; later != commands_.end(); ++later) later->text_offset -= bytes;
    commands_.erase(at);
}

void PendingCommands::refuse(std::uint32_t channel, std::uint32_t previous) {
    for (PendingCommand& c : commands_) {
        if (c.previous_channel == channel) c.previous_channel = previous;
        if (c.channel == channel && (bit(c.command) & kAnnouncingCommands) == 0) c.channel = previous;
    }
}

bool PendingCommands::awaits_passive() const {
    constexpr std::uint64_t passive = bit(FtpCommand::pasv) | bit(FtpCommand::epsv);
    return std::any_of(commands_.begin(), commands_.end(),
                       [](const PendingCommand& c) { return (bit(c.command) & passive) != 0; });
}

} // namespace ftpsensor
