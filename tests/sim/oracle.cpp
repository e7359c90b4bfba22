#include "tests/sim/oracle.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

namespace ftpsensor::test {

namespace {

using nlohmann::json;

constexpr Duration kLead = kSecond; // as ARCHITECTURE.md has it: how much older than its announcement
constexpr Duration kLifetime = 5 * kMinute;
constexpr Timestamp kNever = INT64_MAX / 2;

TalkEnd end_of(const json& entry, const char* address, const char* port) {
    return {ip(entry.at(address).get<std::string>()), entry.at(port).get<std::uint16_t>()};
}
// Frames stand at whole microseconds.
Timestamp time_of(const json& entry, const char* name) {
    return std::llround(entry.at(name).get<double>() * 1e6) * kMicrosecond;
}

// What the capture shows of one connection.
struct Seen {
    Timestamp opened = INT64_MAX; // its first frame
    Timestamp syn_at = INT64_MIN; // the opener's SYN
    Timestamp fin_at = INT64_MAX; // the first FIN or RST
    bool syn[2] = {false, false}; // of the opener, of the other: the first that was seen of it
    bool any[2] = {false, false};
    std::uint32_t first_seq[2] = {0, 0};
};

class Oracle {
public:
    Oracle(const World& world, std::string_view logs, bool may_miss)
        : world_(world), may_miss_(may_miss), seen_(world.connections.size()) {
        for (const TrueFrame& frame : world.frames) look_at(frame);
        std::size_t at = 0;
        while (at < logs.size()) {
            const std::size_t end = logs.find('\n', at);
            json entry = json::parse(logs.substr(at, end - at));
            (entry.at("_path") == "conn" ? conn_ : ftp_).push_back(std::move(entry));
            at = end + 1;
        }
        for (const json& entry : conn_) {
            const auto found =
                world.find(end_of(entry, "id.orig_h", "id.orig_p"), end_of(entry, "id.resp_h", "id.resp_p"));
            if (found)
                by_uid_[entry.at("uid")] = *found;
            else
                fail("a connection that there was not: " + entry.dump());
        }
    }

    void check_conn_extended();
    void check_ftp_extended(OracleCounts& counts);
    void check_conn_strict();
    std::vector<std::string> wrong() { return std::move(wrong_); }

private:
    void fail(std::string text) { wrong_.push_back(std::move(text)); }
    void look_at(const TrueFrame& frame);
    // What it said is not all known, or not in which order: a side whose SYN is not the first that is seen of it begins
    // with what is, and what it said before is not looked at any more (Zeek's rule).
    bool is_control_damaged(std::size_t session) const {
        const std::size_t control = world_.sessions[session];
        return world_.connections[control].lost != 0 || seen_[control].opened != seen_[control].syn_at ||
               !seen_[control].syn[1];
    }
    // When the last frame that the announcement needs had been captured; after the session's end it may come too late.
    Timestamp known_from(const TrueAnnouncement& a) const;
    bool is_announced_twice(std::size_t connection) const;
    bool is_ambiguous(std::size_t connection) const;
    bool has_to_match(std::size_t connection) const;
    bool seems_timely(std::size_t connection) const;
    bool is_untimely(std::size_t connection) const;
    bool was_known_before(std::size_t connection, Timestamp time) const;
    bool is_of_session(std::size_t connection, std::size_t session) const;
    void check_moved(const json& entry, const TrueCommand& command, std::size_t connection, OracleCounts& counts);
    std::uint64_t bytes_before(std::size_t connection, Timestamp time) const;
    bool any_payload_before(std::size_t connection, Timestamp time) const;
    bool is_whole_before(std::size_t connection, Timestamp time) const;
    const TrueCommand* command_of(const json& entry) const;

    const World& world_;
    bool may_miss_;
    std::vector<Seen> seen_;
    std::vector<json> conn_, ftp_;
    std::map<std::string, std::size_t> by_uid_;
    std::vector<std::string> wrong_;
};

void Oracle::look_at(const TrueFrame& frame) {
    Seen& seen = seen_[frame.connection];
    const bool side = !frame.from_opener;
    seen.opened = std::min(seen.opened, frame.time);
    if ((frame.flags & kFlagSyn) && !seen.any[side]) {
        seen.syn[side] = true;
        seen.first_seq[side] = frame.seq + 1;
    }
    seen.any[side] = true;
    if (frame.flags & (kFlagFin | kFlagRst)) seen.fin_at = std::min(seen.fin_at, frame.time);
    if ((frame.flags & kFlagSyn) && frame.from_opener) seen.syn_at = frame.time;
}

Timestamp Oracle::known_from(const TrueAnnouncement& a) const {
    Timestamp latest = INT64_MIN;
    for (const TrueFrame& frame : world_.frames)
        if (frame.connection == world_.sessions[a.session] && frame.sent <= a.sent && !frame.again)
            latest = std::max(latest, frame.time);
    return seen_[world_.sessions[a.session]].fin_at <= latest ? kNever : latest;
}

bool Oracle::is_announced_twice(std::size_t connection) const {
    const TrueConnection& c = world_.connections[connection];
    const auto times = std::count_if(world_.announcements.begin(), world_.announcements.end(), [&](const auto& a) {
        return a.place.address == c.to.address && a.place.port == c.to.port;
    });
    return static_cast<std::size_t>(times) > c.announcements.size();
}

// The rule may give a connection to another announcement of that endpoint, and nobody could know better: it began
// before its own was known, or after a later one; or it was awaited by nobody (a stranger's), and the other one came
// soon after it began, or awaited that very stranger.
bool Oracle::is_ambiguous(std::size_t connection) const {
    if (may_miss_ && is_announced_twice(connection)) return true; // one of them came too late
    const TrueConnection& c = world_.connections[connection];
    const Timestamp opened = seen_[connection].opened;
    for (std::size_t i = 0; i < world_.connections.size();
         ++i) { // a SYN after its end opens another one: who comes second?
        const TrueConnection& other = world_.connections[i];
        const bool is_same = other.to.address == c.to.address && other.to.port == c.to.port;
        if (is_same && seen_[i].fin_at <= seen_[i].syn_at) return true;
    }
    bool is_unknown = false, is_awaited = false;
    Timestamp announced = INT64_MIN, known = INT64_MIN;
    for (const std::size_t index : c.announcements) {
        const TrueAnnouncement& own = world_.announcements[index];
        is_awaited = is_awaited || own.originator == c.from.address;
        const bool is_forgotten = opened >= own.sent + kLifetime;
        is_unknown = is_unknown || is_forgotten || is_control_damaged(own.session) || opened <= known_from(own);
        announced = std::max(announced, own.sent);
        known = std::max(known, known_from(own));
    }
    for (std::size_t i = 0; i < world_.announcements.size(); ++i) {
        const TrueAnnouncement& other = world_.announcements[i];
        if (std::find(c.announcements.begin(), c.announcements.end(), i) != c.announcements.end()) continue;
        const bool is_same = other.place.address == c.to.address && other.place.port == c.to.port;
        if (!is_same || other.sent > opened + kLead) continue;
        const bool is_later = other.sent > announced || known_from(other) > known || is_control_damaged(other.session);
        if (is_unknown || (is_later && other.sent <= opened)) return true;
        if (!is_awaited && (known_from(other) >= opened || other.originator == c.from.address)) return true;
    }
    return false;
}

bool Oracle::has_to_match(std::size_t connection) const {
    const TrueConnection& c = world_.connections[connection];
    const Seen& seen = seen_[connection];
    if (seen.opened == INT64_MAX || is_ambiguous(connection)) return false;
    return !c.announcements.empty() && std::all_of(c.announcements.begin(), c.announcements.end(), [&](std::size_t i) {
        const TrueAnnouncement& a = world_.announcements[i];
        const bool roles_known = seen.opened == seen.syn_at || a.originator == c.from.address;
        return roles_known && !is_control_damaged(a.session) && known_from(a) - seen.opened < kLead &&
               seen.opened - a.sent < kLifetime;
    });
}

// What was captured of a connection, late or with losses, may begin later than it did: one sent too early may be named
// then.
bool Oracle::seems_timely(std::size_t connection) const {
    const TrueConnection& c = world_.connections[connection];
    const Timestamp opened = seen_[connection].opened;
    return std::any_of(c.announcements.begin(), c.announcements.end(), [&](std::size_t i) {
        const TrueAnnouncement& a = world_.announcements[i];
        return opened + kLead >= a.sent && opened < known_from(a) + kLifetime;
    });
}

// And nothing on the way can have made it seem otherwise.
bool Oracle::is_untimely(std::size_t connection) const {
    const TrueConnection& c = world_.connections[connection];
    const bool damaged = std::any_of(c.announcements.begin(), c.announcements.end(), [&](std::size_t i) {
        return is_control_damaged(world_.announcements[i].session);
    });
    return !c.announcements.empty() && !damaged && !seems_timely(connection);
}

bool Oracle::is_of_session(std::size_t connection, std::size_t session) const {
    const auto& sessions = world_.connections[connection].sessions;
    return std::find(sessions.begin(), sessions.end(), session) != sessions.end();
}

bool Oracle::was_known_before(std::size_t connection, Timestamp time) const {
    const auto& announcements = world_.connections[connection].announcements;
    return seen_[connection].opened < time && std::all_of(announcements.begin(), announcements.end(), [&](auto i) {
               return known_from(world_.announcements[i]) < time;
           });
}

void Oracle::check_conn_extended() {
    std::set<std::size_t> transfers;
    for (const json& entry : conn_) {
        const std::size_t connection = by_uid_.at(entry.at("uid"));
        const TrueConnection& c = world_.connections[connection];
        const bool is_transfer = entry.value("service", "").find("ftp-data") != std::string::npos;
        if (is_transfer != entry.contains("control_uid")) fail("ftp-data and control_uid: one alone: " + entry.dump());
        if (is_transfer && !is_ambiguous(connection)) {
            const auto control = by_uid_.find(entry.value("control_uid", ""));
            if (control == by_uid_.end() || !world_.connections[control->second].is_control ||
                !is_of_session(connection, world_.connections[control->second].sessions[0]))
                fail("of another session: " + entry.dump());
            else if (has_to_match(connection) && !may_miss_ && control->second != world_.sessions[c.sessions[0]])
                fail("of the other session: " + entry.dump());
        }
        if (is_transfer && !is_ambiguous(connection) && is_untimely(connection))
            fail("not in the time of its announcement: " + entry.dump());
        if (is_transfer) transfers.insert(connection);
    }
    for (std::size_t i = 0; i < world_.connections.size() && !may_miss_; ++i) {
        const TrueConnection& c = world_.connections[i];
        if (!c.sessions.empty() && !c.is_control && !c.is_visitor && has_to_match(i) && !transfers.contains(i))
            fail("a transfer that is told to be none, from port " + std::to_string(c.from.port));
    }
}

const TrueCommand* Oracle::command_of(const json& entry) const {
    const std::string file = entry.value("arg", "");
    const auto slash = file.rfind('/');
    const auto found = std::find_if(world_.commands.begin(), world_.commands.end(), [&](const TrueCommand& c) {
        return slash != std::string::npos && file.substr(slash + 1) == c.file;
    });
    return found == world_.commands.end() ? nullptr : &*found;
}

void Oracle::check_ftp_extended(OracleCounts& counts) {
    std::set<std::string> told;
    for (const json& entry : ftp_) {
        const TrueCommand* const command = command_of(entry);
        const std::size_t control = by_uid_.at(entry.at("uid"));
        const std::size_t session = world_.connections[control].sessions.at(0);
        const bool damaged = is_control_damaged(session);
        const std::string uid = entry.value("data_channel.uid", "");
        std::optional<std::size_t> named;
        if (!uid.empty()) {
            if (!by_uid_.contains(uid)) {
                fail("names a connection that there was not: " + entry.dump());
                continue;
            }
            named = by_uid_.at(uid);
        }
        if (command == nullptr) {
            if (named && !damaged) fail("a command that moves nothing: " + entry.dump());
            continue;
        }
        ++counts.entries;
        if (!told.insert(command->file).second && !damaged) fail("told twice: " + entry.dump());
        const auto is_named = [&](std::size_t c) { return named == c; };
        const bool right = !named || is_ambiguous(*named) || (command->connection && named == command->connection) ||
                           (command->untimely && named == command->untimely && seems_timely(*named)) ||
                           std::any_of(command->visitors.begin(), command->visitors.end(), is_named) ||
                           (damaged && is_of_session(*named, session));
        if (!right) fail("another command's connection: " + entry.dump());
        if (!command->connection) continue;
        const bool began = was_known_before(*command->connection, time_of(entry, "_write_ts"));
        if (damaged || may_miss_ || !began || !has_to_match(*command->connection)) continue;
        if (named && is_ambiguous(*named)) continue;
        if (named != command->connection)
            fail("its connection is not named: " + entry.dump());
        else
            check_moved(entry, *command, *named, counts);
    }
    if (may_miss_) return;
    for (const TrueCommand& command : world_.commands)
        if (!is_control_damaged(command.session) && !told.contains(command.file))
            fail("no entry of a command: " + command.file);
}

// By sequence numbers, as far as they had gone.
std::uint64_t Oracle::bytes_before(std::size_t connection, Timestamp time) const {
    std::uint32_t highest[2] = {0, 0};
    for (const TrueFrame& frame : world_.frames) {
        const bool counts = frame.payload != 0 || (frame.flags & kFlagFin) != 0;
        if (frame.connection != connection || frame.time >= time || !counts) continue;
        const bool side = !frame.from_opener;
        highest[side] = std::max(highest[side], frame.seq + frame.payload - seen_[connection].first_seq[side]);
    }
    return std::uint64_t{highest[0]} + highest[1];
}

bool Oracle::any_payload_before(std::size_t connection, Timestamp time) const {
    return std::any_of(world_.frames.begin(), world_.frames.end(), [&](const TrueFrame& frame) {
        return frame.connection == connection && frame.payload != 0 && frame.time < time;
    });
}

bool Oracle::is_whole_before(std::size_t connection, Timestamp time) const {
    const TrueConnection& c = world_.connections[connection];
    if (c.ending != Ending::orderly || c.lost != 0) return false;
    return std::all_of(world_.frames.begin(), world_.frames.end(), [&](const TrueFrame& frame) {
        const bool counts = frame.payload != 0 || (frame.flags & kFlagFin) != 0;
        return frame.connection != connection || !counts || frame.again || frame.time < time;
    });
}

void Oracle::check_moved(const json& entry, const TrueCommand& command, std::size_t connection, OracleCounts& counts) {
    ++counts.matches;
    Timestamp time = time_of(entry, "_write_ts");
    if (time >= world_.frames.back().time) time = kNever; // at the end, after the last frame
    const Seen& seen = seen_[connection];
    const TrueConnection& c = world_.connections[connection];
    if (!seen.syn[0] || !seen.syn[1]) return; // where its bytes begin is not known
    const std::uint64_t bytes = bytes_before(connection, time);
    // What is missing, or late, was acknowledged maybe; so may a FIN have been, which reads as a byte then.
    const std::uint64_t most = world_.is_clean ? bytes : bytes_before(connection, INT64_MAX) + c.lost * 1460 + 2;
    const std::uint64_t told = entry.value("data_channel.bytes", UINT64_MAX);
    if (told < bytes || told > most) fail("not " + std::to_string(bytes) + " bytes: " + entry.dump());
    if (any_payload_before(connection, time) != entry.contains("fuid")) fail("fuid, or none: " + entry.dump());
    const bool whole = is_whole_before(connection, time) && bytes >= command.announced_bytes;
    const bool said = entry.value("data_channel.complete", false);
    counts.complete += said;
    if (said && !whole && c.lost == 0) fail("said to be whole: " + entry.dump());
    if (said && c.lost != 0 && bytes < command.announced_bytes) fail("shorter, but said to be whole: " + entry.dump());
    // Few holes at a time are remembered (DataWatches::Stream::holes).
    const auto late = std::count_if(world_.frames.begin(), world_.frames.end(), [&](const TrueFrame& frame) {
        return frame.connection == connection && frame.payload != 0 && frame.time > frame.sent + 50 * kMicrosecond;
    });
    const bool in_order = seen.opened == seen.syn_at && late < 4;
    if (whole && !said && in_order) fail("whole, but not said to be: " + entry.dump());
}

// Zeek's rule in part: whatever is a transfer was announced as such; what was plainly announced once is one.
void Oracle::check_conn_strict() {
    for (const json& entry : conn_) {
        const std::size_t connection = by_uid_.at(entry.at("uid"));
        const TrueConnection& c = world_.connections[connection];
        const bool is_transfer = entry.value("service", "").find("ftp-data") != std::string::npos;
        if (entry.contains("control_uid")) fail("a field that the reference does not have: " + entry.dump());
        std::size_t places = 0;
        bool awaited = false;
        for (const TrueAnnouncement& a : world_.announcements) {
            if (a.place.address != c.to.address || a.place.port != c.to.port) continue;
            ++places;
            awaited = awaited || (!a.is_translated && a.originator == c.from.address);
        }
        if (is_transfer && !awaited) fail("a transfer that nobody announced: " + entry.dump());
        const bool plain = world_.is_clean && places == 1 && awaited && !c.announcements.empty() && !c.is_visitor;
        if (!plain) continue;
        const TrueAnnouncement& a = world_.announcements[c.announcements[0]];
        const bool in_time = seen_[connection].opened > a.sent && seen_[connection].opened < a.sent + kLifetime;
        const auto visitors = std::count_if(world_.connections.begin(), world_.connections.end(), [&](const auto& o) {
            return o.to.address == c.to.address && o.to.port == c.to.port;
        });
        if (visitors == 1 && in_time != is_transfer) fail("a transfer or none: " + entry.dump());
    }
}

} // namespace

std::vector<std::string> check_extended(const World& world, std::string_view logs, bool may_miss,
                                        OracleCounts& counts) {
    Oracle oracle(world, logs, may_miss);
    oracle.check_conn_extended();
    oracle.check_ftp_extended(counts);
    return oracle.wrong();
}

std::vector<std::string> check_strict(const World& world, std::string_view logs) {
    Oracle oracle(world, logs, false);
    oracle.check_conn_strict();
    return oracle.wrong();
}

} // namespace ftpsensor::test
