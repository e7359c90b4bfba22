#include "core/log/strict_transfers.h"

#include "core/base/endpoint_hash.h"

namespace ftpsensor {

std::size_t StrictTransfers::PlaceHash::operator()(const Place& p) const {
    return static_cast<std::size_t>(endpoint_hash(p.originator, 0, endpoint_hash(p.responder, p.port, secret)));
}

void StrictTransfers::expire(Timestamp now) {
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
    removed_.expire(now, connections_);
}

bool StrictTransfers::schedule(const Place& place, Timestamp now) {
    if (const auto at = scheduled_.find(place); at != scheduled_.end()) {
        at->second = now + kExpectedLifetime;
        return true;
    }
    if (scheduled_.size() >= 2 * options_.announcements_max || expiries_.size() >= 4 * options_.announcements_max)
        return false;
    scheduled_.emplace(place, now + kExpectedLifetime);
    expiries_.emplace_back(now + kExpectedLifetime, place);
    return true;
}

bool StrictTransfers::expect(const Place& endpoint, const Id96& control, Timestamp now) {
    if (!expected_.contains(endpoint)) {
        if (expected_.size() >= options_.announcements_max || expiries_.size() >= 4 * options_.announcements_max)
            return false;
        expiries_.emplace_back(now + kExpectedLifetime, endpoint);
    }
    expected_[endpoint] = {control, now + kExpectedLifetime};
    return true;
}

void StrictTransfers::announcement(const FtpRecord& r) {
    const Timestamp now = r.key.time;
    expire(now);
    const DataChannel& channel = r.channel;
    if (!expect({{}, channel.resp_h, channel.resp_p}, r.key.uid, now) ||
        !schedule({channel.orig_h, channel.resp_h, channel.resp_p}, now)) {
        events_.count(Event::FTP_too_many_expected_data_channels);
        return;
    }
    bounded_emplace(sessions_, r.key.uid, options_.sessions_max, events_);
}

StrictTransfers::Expected* StrictTransfers::find_expected(const Connection& c, Timestamp now) {
    const auto e = expected_.find({{}, c.id.resp_h, c.id.resp_p});
    if (e == expected_.end() || e->second.until <= now) return nullptr;
    e->second.until = now + kExpectedLifetime; // each use keeps it
    return &e->second;
}

StrictTransfers::Session* StrictTransfers::find_session(const std::optional<Id96>& control) {
    return control ? sessions_.find(*control) : nullptr;
}

void StrictTransfers::data_open(const FtpRecord& r) {
    expire(r.key.time);
    Connection& c = bounded_emplace(connections_, r.key.uid, options_.connections_max, events_);
    if (c.attached) return;
    c.id = r.id;
    const auto s = scheduled_.find({r.id.orig_h, r.id.resp_h, r.id.resp_p});
    if (s == scheduled_.end() || s->second <= r.key.time) return;
    c.attached = true;
    c.is_transfer = find_expected(c, r.key.time) != nullptr;
}

void StrictTransfers::data_first(const FtpRecord& r) {
    Connection* const c = connections_.find(r.key.uid);
    if (c == nullptr || !c->attached) return;
    const Expected* expected = find_expected(*c, r.key.time);
    if (expected == nullptr) return;
    Session* session = find_session(expected->control);
    if (session == nullptr) return;
    c->file_session[r.from_originator] = expected->control;
    session->fuid = file_uid(options_.id_key, r.key.uid, r.from_originator);
}

void StrictTransfers::data_typed(const FtpRecord& r, std::string_view type) {
    Connection* const c = connections_.find(r.key.uid);
    if (c == nullptr || !c->attached) return;
    std::optional<Id96> control = c->file_session[r.from_originator];
    if (r.mime_stage == MimeStage::transferred) {
        const Expected* expected = find_expected(*c, r.key.time);
        control = expected != nullptr ? std::optional(expected->control) : std::nullopt;
    }
    Session* session = find_session(control);
    if (session != nullptr && !type.empty()) session->mime_type = type;
}

void StrictTransfers::data_removed(const FtpRecord& r) {
    const Connection* const c = connections_.find(r.key.uid);
    if (c == nullptr) return;
    // The announcement has had its connection, unless that was removed for another one at the same endpoint.
    if (c->is_transfer && !r.reused) expected_.erase({{}, c->id.resp_h, c->id.resp_p});
    removed_.push(r.key.time, r.key.uid, connections_, options_.connections_max, events_);
}

void StrictTransfers::session_end(const FtpRecord& r) { sessions_.erase(r.key.uid); }

const TransferJoin::ForEntry& StrictTransfers::message(const FtpRecord& r) {
    for_entry_ = {};
    if (Session* session = find_session(r.key.uid); session != nullptr) {
        for_entry_.fuid = std::exchange(session->fuid, std::nullopt);
        for_entry_.mime_type = std::exchange(session->mime_type, std::nullopt);
    }
    return for_entry_;
}

TransferJoin::ForConnection StrictTransfers::connection(const Id96& uid, bool last) {
    const Connection* const c = connections_.find(uid);
    if (c == nullptr) return {};
    const ForConnection result{c->is_transfer, std::nullopt};
    if (last) connections_.erase(uid);
    return result;
}

} // namespace ftpsensor
