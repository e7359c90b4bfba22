#include "core/log/transfer_join.h"

#include "core/base/mix.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace ftpsensor {

namespace {

constexpr Duration kLifetime = 5 * kMinute; // of an announcement
constexpr Duration kLead = kSecond;         // extended: how much older than it a connection may be
constexpr Duration kRecordDelay = 10 * kSecond;
constexpr std::size_t kUnmatchedMax = 1u << 16;
constexpr std::size_t kSessionsMax = 1u << 20; // that announced something; session_end takes them away

} // namespace

std::size_t TransferJoin::PlaceHash::operator()(const Place& p) const {
    std::uint64_t words[4];
    std::memcpy(words, p.originator.bytes.data(), 16);
    std::memcpy(words + 2, p.responder.bytes.data(), 16);
    const std::uint64_t originator = mix(words[0] ^ secret, words[1] ^ ~secret);
    const std::uint64_t responder = mix(words[2] ^ ~secret, words[3] ^ secret);
    return static_cast<std::size_t>(mix(originator ^ p.port ^ secret, responder ^ std::rotl(secret, 32)));
}

void TransferJoin::expire(Timestamp now) {
    while (!expiries_.empty() && expiries_.front().first <= now) {
        const Place place = expiries_.front().second;
        expiries_.pop_front();
        if (const auto s = scheduled_.find(place); s != scheduled_.end()) {
            if (s->second <= now)
                scheduled_.erase(s);
            else
                expiries_.emplace_back(s->second, place);
        } else if (const auto e = expected_.find(place); e != expected_.end()) {
            if (e->second.until <= now)
                expected_.erase(e);
            else
                expiries_.emplace_back(e->second.until, place);
        }
    }
    while (!unmatched_order_.empty() && unmatched_order_.front().first + kLead < now) {
        const auto at = unmatched_.find(unmatched_order_.front().second);
        unmatched_order_.pop_front();
        if (at == unmatched_.end()) continue;
        at->second.erase(at->second.begin()); // each list is in order of time, as the queue is
        if (at->second.empty()) unmatched_.erase(at);
    }
    // A conn record follows at once, unless it was dropped on the way.
    while (!removed_.empty() && removed_.front().first + kRecordDelay < now) {
        connections_.erase(removed_.front().second);
        removed_.pop_front();
    }
}

// A connection from `originator` (anyone, where it is unset) to the endpoint is awaited. False: the bound is reached.
bool TransferJoin::schedule(const IpAddress& originator, const IpAddress& responder, std::uint16_t port,
                            Timestamp now) {
    const Place place{originator, responder, port};
    if (const auto at = scheduled_.find(place); at != scheduled_.end()) {
        at->second = now + kLifetime;
        return true;
    }
    if (scheduled_.size() >= 2 * options_.announcements_max || expiries_.size() >= 4 * options_.announcements_max)
        return false;
    scheduled_.emplace(place, now + kLifetime);
    expiries_.emplace_back(now + kLifetime, place);
    return true;
}

bool TransferJoin::expect(const Place& endpoint, const Id96& control, Timestamp now) {
    const auto known = expected_.find(endpoint);
    if (known == expected_.end()) {
        if (expected_.size() >= options_.announcements_max || expiries_.size() >= 4 * options_.announcements_max)
            return false;
        expiries_.emplace_back(now + kLifetime, endpoint);
    }
    expected_[endpoint] = {control, now + kLifetime};
    return true;
}

void TransferJoin::announcement(const FtpRecord& r) {
    const Timestamp now = r.key.time;
    expire(now);
    const DataChannel& channel = r.channel;
    const Place endpoint{{}, channel.resp_h, channel.resp_p};
    if (!expect(endpoint, r.key.uid, now) || !schedule(channel.orig_h, channel.resp_h, channel.resp_p, now)) {
        events_.count(Event::FTP_too_many_expected_data_channels);
        return;
    }
    if (sessions_.size() >= kSessionsMax && !sessions_.contains(r.key.uid)) sessions_.erase(sessions_.begin());
    sessions_.try_emplace(r.key.uid);
    if (!options_.extended) return;
    // A server (or client) that announces an address which is not on this wire connects from or accepts at its own.
    const IpAddress& own = channel.passive ? r.id.resp_h : r.id.orig_h;
    if (own != channel.resp_h) {
        const Place translated{{}, own, channel.resp_p};
        if (expect(translated, r.key.uid, now) && schedule(channel.orig_h, own, channel.resp_p, now))
            match_earlier(now, translated);
        else
            events_.count(Event::FTP_too_many_expected_data_channels);
    }
    match_earlier(now, endpoint);
}

// Connections that began shortly before they were announced.
void TransferJoin::match_earlier(Timestamp now, const Place& endpoint) {
    const auto at = unmatched_.find(endpoint);
    if (at == unmatched_.end()) return;
    for (const Id96& uid : at->second) {
        const auto c = connections_.find(uid);
        if (c == connections_.end() || c->second.attached || c->second.opened + kLead < now) continue;
        match(c->second, uid, now);
        for (const bool from_originator : {true, false})
            if (c->second.started[from_originator]) tell_file(c->second, uid, from_originator, now);
    }
}

void TransferJoin::keep_unmatched(const Connection& c, const Id96& uid) {
    if (unmatched_order_.size() >= kUnmatchedMax) return; // it reads as not announced
    const Place endpoint{{}, c.id.resp_h, c.id.resp_p};
    unmatched_[endpoint].push_back(uid);
    unmatched_order_.emplace_back(c.opened, endpoint);
}

TransferJoin::Expected* TransferJoin::find_expected(const Place& endpoint, Timestamp now) {
    const auto e = expected_.find(endpoint);
    if (e == expected_.end() || e->second.until <= now) return nullptr;
    e->second.until = now + kLifetime; // each use keeps it
    return &e->second;
}

bool TransferJoin::attach(Connection& c, const Id96& uid, const Place& awaited, const Place& endpoint, Timestamp now) {
    const auto s = scheduled_.find(awaited);
    if (s == scheduled_.end() || s->second <= now) return false;
    c.attached = true;
    c.endpoint = endpoint;
    const Expected* expected = find_expected(endpoint, now);
    if (expected == nullptr) return true;
    c.is_transfer = true;
    c.control = expected->control;
    if (const auto session = sessions_.find(expected->control); session != sessions_.end())
        session->second.transfer = transfer_of(c, uid);
    return true;
}

// With what is known of it already, where it is older than its announcement.
TransferJoin::Transfer TransferJoin::transfer_of(const Connection& c, const Id96& uid) {
    Transfer transfer(uid);
    transfer.bytes = c.bytes;
    transfer.complete = c.complete;
    transfer.closed = c.closed;
    if (!c.type.empty()) transfer.mime_type = c.type;
    return transfer;
}

void TransferJoin::match(Connection& c, const Id96& uid, Timestamp now) {
    const Place endpoint{{}, c.id.resp_h, c.id.resp_p};
    if (attach(c, uid, {c.id.orig_h, c.id.resp_h, c.id.resp_p}, endpoint, now)) return;
    if (!options_.extended) return;
    // A bounce: somebody else than was announced connects to the endpoint.
    if (Expected* expected = find_expected(endpoint, now); expected != nullptr) {
        c.attached = c.is_transfer = true;
        c.endpoint = endpoint;
        c.control = expected->control;
        // Whoever was awaited may still come: a stranger does not take the command's place for a transfer.
        if (const auto session = sessions_.find(expected->control);
            session != sessions_.end() && !session->second.transfer)
            session->second.transfer = transfer_of(c, uid);
        return;
    }
}

void TransferJoin::data_open(const FtpRecord& r) {
    expire(r.key.time);
    Connection& c = connections_[r.key.uid];
    c.id = r.id;
    c.opened = r.key.time;
    if (c.attached) return;
    match(c, r.key.uid, r.key.time);
    if (!c.attached && options_.extended) keep_unmatched(c, r.key.uid);
}

void TransferJoin::tell_file(Connection& c, const Id96& uid, bool from_originator, Timestamp now) {
    const Expected* expected = find_expected(c.endpoint, now);
    if (expected == nullptr) return;
    const auto session = sessions_.find(expected->control);
    if (session == sessions_.end()) return;
    c.file_session[from_originator] = expected->control;
    const Id96 fuid = file_uid(options_.id_key, uid, from_originator);
    if (!options_.extended)
        session->second.fuid = fuid;
    else if (auto& transfer = session->second.transfer; transfer && transfer->uid == uid)
        transfer->fuid = fuid;
}

void TransferJoin::data_first(const FtpRecord& r) {
    const auto c = connections_.find(r.key.uid);
    if (c == connections_.end()) return;
    c->second.started[r.from_originator] = true;
    if (c->second.attached) tell_file(c->second, r.key.uid, r.from_originator, r.key.time);
}

void TransferJoin::data_typed(const FtpRecord& r, std::string_view type) {
    const auto c = connections_.find(r.key.uid);
    if (c == connections_.end()) return;
    if (!c->second.attached) {
        c->second.type = type;
        return;
    }
    std::optional<Id96> control;
    if (r.mime_stage == MimeStage::transferred) {
        if (const Expected* expected = find_expected(c->second.endpoint, r.key.time)) control = expected->control;
    } else
        control = c->second.file_session[r.from_originator];
    if (!control || type.empty()) return;
    const auto session = sessions_.find(*control);
    if (session == sessions_.end()) return;
    if (!options_.extended)
        session->second.mime_type = type;
    else if (auto& transfer = session->second.transfer; transfer && transfer->uid == r.key.uid)
        transfer->mime_type = type;
}

void TransferJoin::data_closed(const FtpRecord& r) {
    const auto c = connections_.find(r.key.uid);
    if (c == connections_.end()) return;
    c->second.bytes = r.bytes;
    c->second.complete = r.complete;
    c->second.closed = true;
    if (!c->second.control) return;
    const auto session = sessions_.find(*c->second.control);
    if (session == sessions_.end() || !session->second.transfer || session->second.transfer->uid != r.key.uid) return;
    session->second.transfer->bytes = r.bytes;
    session->second.transfer->complete = r.complete;
    session->second.transfer->closed = true;
}

void TransferJoin::data_removed(const FtpRecord& r) {
    const auto c = connections_.find(r.key.uid);
    if (c == connections_.end()) return;
    removed_.emplace_back(r.key.time, r.key.uid);
    // The announcement has had its connection, unless that was removed for another one at the same endpoint.
    if (c->second.is_transfer && !r.reused) expected_.erase(c->second.endpoint);
}

void TransferJoin::session_end(const FtpRecord& r) { sessions_.erase(r.key.uid); }

const TransferJoin::ForEntry& TransferJoin::message(const FtpRecord& r) {
    for_entry_ = {};
    const auto s = sessions_.find(r.key.uid);
    if (s == sessions_.end()) return for_entry_;
    Session& session = s->second;
    if (!options_.extended) {
        for_entry_.fuid = std::exchange(session.fuid, std::nullopt);
        for_entry_.mime_type = std::exchange(session.mime_type, std::nullopt);
        return for_entry_;
    }
    if (!r.transfers || !session.transfer) return for_entry_;
    Transfer& transfer = *session.transfer;
    for_entry_.fuid = transfer.fuid;
    for_entry_.mime_type = std::move(transfer.mime_type);
    for_entry_.data_uid = transfer.uid;
    if (transfer.closed) {
        for_entry_.data_bytes = transfer.bytes;
        for_entry_.data_complete = transfer.complete && (!r.has_file_size || r.file_size == transfer.bytes);
    }
    session.transfer.reset();
    return for_entry_;
}

TransferJoin::ForConnection TransferJoin::connection(const Id96& uid) {
    const auto c = connections_.find(uid);
    if (c == connections_.end()) return {};
    const ForConnection result{c->second.is_transfer, c->second.control};
    connections_.erase(c);
    return result;
}

} // namespace ftpsensor
