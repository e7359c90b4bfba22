// A session that a test talks: lines of client and server in, what the session reports out, as short text.
#pragma once

#include "core/ftp/ftp_session.h"

#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string show(const DataChannel& channel) {
    return std::string(channel.passive ? "passive " : "active ") + channel.orig_h.to_string() + " > " +
           channel.resp_h.to_string() + " " + std::to_string(channel.resp_p);
}

// "RETR [ftp://…] 226 [Transfer complete.] size 74 user u password p", with "data …" where there is a data channel.
inline std::string show(const FtpEvent& event, const FtpOutput& out) {
    switch (event.kind) {
    case FtpOutcome::confirmed: return "confirmed";
    case FtpOutcome::violated: return "violated";
    case FtpOutcome::encrypted: return "encrypted";
    case FtpOutcome::gssapi_tls: return "gssapi_tls";
    case FtpOutcome::limit_reached: return "limit";
    case FtpOutcome::announcement: return "announcement " + show(*event.data_channel);
    case FtpOutcome::message: break;
    }
    if (!event.logged) return "turn";
    std::string text = event.final_entry ? "final " : "";
    text += out.view(event.command);
    if (event.arg.present) text += " [" + std::string(out.view(event.arg)) + "]";
    if (event.reply_code) text += " " + std::to_string(*event.reply_code);
    if (event.reply_msg.present) text += " [" + std::string(out.view(event.reply_msg)) + "]";
    if (event.file_size) text += " size " + std::to_string(*event.file_size);
    if (event.data_channel) text += " data " + show(*event.data_channel);
    text += " user " + std::string(out.view(event.user));
    if (event.password.present) text += " password " + std::string(out.view(event.password));
    return text;
}

class SessionScript {
public:
    explicit SessionScript(FtpOptions session_options = {}, bool partial = false)
        : options(std::move(session_options)), session(options, events) {
        session.reset(id, uid, partial);
    }

    // One line each, with its CR LF; every line comes a second after the one before.
    SessionScript& client(std::string_view line) { return client_bytes(std::string(line) + "\r\n"); }
    SessionScript& server(std::string_view line) { return server_bytes(std::string(line) + "\r\n"); }
    SessionScript& client_bytes(std::string_view bytes) {
        session.deliver(true, as_bytes(bytes), now += kSecond, out);
        return *this;
    }
    SessionScript& server_bytes(std::string_view bytes) {
        session.deliver(false, as_bytes(bytes), now += kSecond, out);
        return *this;
    }
    SessionScript& login(std::string_view user = "anonymous", std::string_view password = "me@here") {
        server("220 ready").client("USER " + std::string(user)).server("331 password?");
        return client("PASS " + std::string(password)).server("230 welcome");
    }
    SessionScript& finish(bool originator_closed = true) {
        session.finish(originator_closed, now += kSecond, out);
        return *this;
    }

    std::vector<std::string> reported() const {
        std::vector<std::string> all;
        for (const FtpEvent& event : out.events) all.push_back(show(event, out));
        return all;
    }
    // What makes an entry.
    std::vector<std::string> entries() const {
        std::vector<std::string> all;
        for (const FtpEvent& event : out.events)
            if (event.kind == FtpOutcome::message && event.logged) all.push_back(show(event, out));
        return all;
    }
    std::string last_entry() const {
        const auto all = entries();
        return all.empty() ? "" : all.back();
    }
    std::vector<std::string> announcements() const {
        std::vector<std::string> all;
        for (const FtpEvent& event : out.events)
            if (event.kind == FtpOutcome::announcement) all.push_back(show(*event.data_channel));
        return all;
    }
    std::size_t count(FtpOutcome kind) const {
        std::size_t n = 0;
        for (const FtpEvent& event : out.events) n += event.kind == kind;
        return n;
    }
    std::uint64_t counted(Event event) const { return events.value(event); }

    EndpointId id{IpAddress::from_v4(10, 0, 0, 1), 40000, IpAddress::from_v4(10, 0, 0, 2), 21};
    Id96 uid{7, 7};
    FtpOptions options;
    EventCounters events;
    FtpSession session;
    FtpOutput out;
    Timestamp now = 0;
};

using Lines = std::vector<std::string>;

inline FtpOptions log_everything() {
    FtpOptions options;
    options.log_all_commands = true;
    return options;
}

} // namespace ftpsensor
