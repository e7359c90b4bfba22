#include "core/ftp/told.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr std::uint64_t kPassive = bit(FtpCommand::pasv) | bit(FtpCommand::epsv);
constexpr std::uint64_t kKept =
    kAnnouncingCommands | bit(FtpCommand::cwd) | bit(FtpCommand::cdup) | bit(FtpCommand::pwd) | bit(FtpCommand::xpwd);

bool is_passive(const ToldCommand& command) { return (bit(command.command) & kPassive) != 0; }

} // namespace

void ToldCommands::reset() {
    commands_.clear();
    text_.release(0);
    forgotten_passive_ = 0;
}

bool ToldCommands::add(const PendingCommand& command, std::string_view argument) {
    if ((bit(command.command) & kKept) == 0) return true;
    if (command.command != FtpCommand::cwd) argument = {};
    bool kept_all = true;
    while (commands_.size() >= kFtpToldMax || text_.room() < argument.size()) {
        forget_oldest();
        kept_all = false;
    }
    const auto bytes = static_cast<std::uint32_t>(text_.append(argument));
    commands_.push_back({command.number, command.channel, command.previous_channel, bytes, command.command});
    return kept_all;
}

ToldCommand* ToldCommands::find(std::uint32_t number) {
    while (!commands_.empty() && commands_.front().number < number) forget_oldest();
    return commands_.empty() || commands_.front().number != number ? nullptr : &commands_.front();
}

std::optional<std::uint32_t> ToldCommands::take_passive() {
    const auto first = std::find_if(commands_.begin(), commands_.end(), is_passive);
    if (first != commands_.end()) {
        const std::uint32_t channel = first->channel;
        commands_.erase(first);
        return channel;
    }
    if (forgotten_passive_ == 0) return {};
    const std::uint32_t channel = forgotten_passive_;
    forgotten_passive_ = 0;
    return channel;
}

void ToldCommands::refuse(std::uint32_t channel, std::uint32_t previous) {
    for (ToldCommand& c : commands_)
        if (c.previous_channel == channel) c.previous_channel = previous;
}

void ToldCommands::forget_oldest() {
    const ToldCommand& oldest = commands_.front();
    if (is_passive(oldest)) forgotten_passive_ = oldest.channel;
    text_.erase(0, oldest.argument_bytes);
    commands_.erase(commands_.begin());
}

} // namespace ftpsensor
