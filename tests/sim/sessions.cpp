// make_world() of world.h: the sessions, led one after the other, each on a clock of its own, and then put together.
#include "core/packet/decode.h"
#include "tests/sim/world.h"
#include "tests/support/ftp_talk.h"

#include <algorithm>
#include <memory>

namespace ftpsensor::test {

namespace {

constexpr std::uint16_t kFtpPort = 21;
constexpr std::uint16_t kFirstListener = 40'000;   // of servers and of clients; ephemeral ports lie below
constexpr Duration kLongest = 12 * kSecond;        // of a transfer, without the waits of Timing and Visit
constexpr std::uint16_t kFirstThirdParty = 41'000; // beside those: what a client tells of a server reads as its own NAT

enum class Mode : std::uint8_t { pasv, epsv, port, eprt };
enum class Timing : std::uint8_t { after, early, too_early, after_minutes, too_late, never };
enum class Visit : std::uint8_t { none, alone, before, after, minutes_after };
enum class Outcome : std::uint8_t { whole, shorter, reset, empty, refused };

struct Host {
    IpAddress address;
    bool is_translated = false;
};

// One session under way.
struct Session {
    Trace& trace;
    std::size_t number;
    Host client, server;
    std::unique_ptr<FtpTalk> ftp;
};

struct Plan {
    Mode mode;
    Timing timing;
    Visit visit;
    Outcome outcome;
    bool upload;
    bool fails_first;
    bool is_passive() const { return mode == Mode::pasv || mode == Mode::epsv; }
};

std::string in_commas(const IpAddress& address, std::uint16_t port) {
    std::string text = address.to_string();
    std::replace(text.begin(), text.end(), '.', ',');
    return text + "," + std::to_string(port >> 8) + "," + std::to_string(port & 255);
}

class WorldMaker {
public:
    explicit WorldMaker(std::uint64_t seed) : random_(seed), late_visits_(seed + kLateVisits) {}
    World make();

private:
    void make_hosts();
    Session begin(Trace& trace, const Host& client, const Host& server);
    void end(Session& s);
    void run_session(Timestamp start);
    void run_third_party(Timestamp start);
    void run_noise(Timestamp start);
    Plan draw_plan(const Session& s);
    void transfer(Session& s);
    void announce(Session& s, const Plan& plan, const TalkEnd& place);
    void move(Session& s, const Plan& plan, const TalkEnd& place, std::optional<std::size_t> early_connection,
              std::optional<TcpTalk> early);
    void converse(TcpTalk& data, Side sender, const Plan& plan, std::uint64_t bytes);
    void finish_data(TcpTalk& data, std::size_t connection, Side sender, const Plan& plan);
    std::size_t visit(Session& s, const TalkEnd& place, const IpAddress& awaited);

    TcpTalk connect(Trace& trace, const TalkEnd& from, const TalkEnd& to, std::size_t& connection);
    std::size_t add_connection(const TalkEnd& from, const TalkEnd& to);
    TalkEnd ephemeral(const IpAddress& address) { return {address, next_port_++}; }
    std::optional<TalkEnd> reserve(const IpAddress& address, Timestamp from, Timestamp until,
                                   std::uint16_t first_port = kFirstListener);
    void release(const TalkEnd& place, Timestamp from, Timestamp until);
    void pause(Trace& trace, Duration most) { trace.wait(random_.up_to(most)); }
    static IpAddress announced(const Host& host);

    static constexpr std::uint64_t kLateVisits = 1ull << 63;
    Random random_;
    Random late_visits_; // dice of their own: the worlds without them are what they were
    World world_;
    std::vector<Host> clients_[2], servers_[2]; // by family
    std::uint16_t listeners_ = 4;               // ports that a host listens on for data
    std::uint16_t next_port_ = 10'000;
    std::map<std::pair<IpAddress, std::uint16_t>, std::vector<std::pair<Timestamp, Timestamp>>> reserved_;
};

// Behind NAT a host knows itself by another address.
IpAddress WorldMaker::announced(const Host& host) {
    if (!host.is_translated) return host.address;
    return IpAddress::from_v4(192, 168, host.address.bytes[14], host.address.bytes[15]);
}

void WorldMaker::make_hosts() {
    for (std::uint8_t i = 1; i <= random_.between(2, 5); ++i) {
        clients_[0].push_back({IpAddress::from_v4(10, 0, 0, i), random_.percent(25)});
        clients_[1].push_back({ip("2001:db8::" + std::to_string(i)), false});
    }
    for (std::uint8_t i = 1; i <= random_.between(2, 3); ++i) {
        servers_[0].push_back({IpAddress::from_v4(10, 0, 1, i), random_.percent(30)});
        servers_[1].push_back({ip("2001:db8::1:" + std::to_string(i)), false});
    }
    listeners_ = static_cast<std::uint16_t>(random_.between(2, 12));
}

World WorldMaker::make() {
    make_hosts();
    const Timestamp start = Trace::kDefaultStart;
    const Duration span = static_cast<Duration>(random_.between(5, 90)) * kSecond;
    for (auto i = random_.between(15, 40); i != 0; --i) run_session(start + random_.up_to(span));
    for (auto i = random_.between(0, 3); i != 0; --i) run_third_party(start + random_.up_to(span));
    for (auto i = random_.between(0, 30); i != 0; --i) run_noise(start + random_.up_to(span));
    std::stable_sort(world_.frames.begin(), world_.frames.end(),
                     [](const TrueFrame& a, const TrueFrame& b) { return a.sent < b.sent; });
    capture(world_, random_);
    return std::move(world_);
}

std::size_t WorldMaker::add_connection(const TalkEnd& from, const TalkEnd& to) {
    world_.connections.push_back({.from = from, .to = to});
    world_.by_ends[{from.address, from.port, to.address, to.port}] = world_.connections.size() - 1;
    return world_.connections.size() - 1;
}

TcpTalk WorldMaker::connect(Trace& trace, const TalkEnd& from, const TalkEnd& to, std::size_t& connection) {
    connection = add_connection(from, to);
    return TcpTalk(trace, {.client = from,
                           .server = to,
                           .client_isn = static_cast<std::uint32_t>(random_.next()),
                           .server_isn = static_cast<std::uint32_t>(random_.next())});
}

// A port of the host that nobody listens on meanwhile. None: there is none free.
std::optional<TalkEnd> WorldMaker::reserve(const IpAddress& address, Timestamp from, Timestamp until,
                                           std::uint16_t first_port) {
    const auto first = random_.below(listeners_);
    for (std::uint16_t i = 0; i < listeners_; ++i) {
        const auto port = static_cast<std::uint16_t>(first_port + (first + i) % listeners_);
        auto& times = reserved_[{address, port}];
        const bool taken = std::any_of(times.begin(), times.end(),
                                       [&](const auto& t) { return t.first <= until && from <= t.second; });
        if (taken) continue;
        times.emplace_back(from, until);
        return TalkEnd{address, port};
    }
    return std::nullopt;
}

// It did not take that long.
void WorldMaker::release(const TalkEnd& place, Timestamp from, Timestamp until) {
    for (auto& time : reserved_[{place.address, place.port}])
        if (time.first == from) time.second = until;
}

Session WorldMaker::begin(Trace& trace, const Host& client, const Host& server) {
    const TalkEnd from = ephemeral(client.address), to{server.address, kFtpPort};
    const std::size_t connection = add_connection(from, to);
    world_.connections[connection].is_control = true;
    world_.connections[connection].sessions = {world_.sessions.size()};
    world_.sessions.push_back(connection);
    TalkOptions options{.client = from, .server = to};
    options.client_isn = static_cast<std::uint32_t>(random_.next());
    options.server_isn = static_cast<std::uint32_t>(random_.next());
    options.acks = random_.percent(70);
    Session s{trace, world_.sessions.size() - 1, client, server, std::make_unique<FtpTalk>(trace, options)};
    s.ftp->login();
    return s;
}

void WorldMaker::end(Session& s) {
    const auto dice = random_.below(10);
    if (dice < 7)
        s.ftp->quit();
    else if (dice < 8)
        s.ftp->control().rst(Side::client);
    else if (dice < 9)
        s.ftp->control().close();
}

void WorldMaker::run_session(Timestamp start) {
    Trace trace(start, static_cast<Duration>(random_.between(20, 5000)) * kMicrosecond);
    const bool v6 = random_.percent(25);
    Session s = begin(trace, random_.pick(clients_[v6]), random_.pick(servers_[v6]));
    for (auto i = random_.between(1, 7); i != 0; --i) {
        transfer(s);
        pause(trace, random_.percent(80) ? 100 * kMillisecond : 5 * kSecond);
    }
    end(s);
    collect(trace, world_);
}

Plan WorldMaker::draw_plan(const Session& s) {
    Plan plan{};
    const bool v6 = !s.client.address.is_v4();
    plan.mode = static_cast<Mode>(v6 ? 1 + 2 * random_.below(2) : random_.below(4));
    const auto timing = random_.below(100);
    plan.timing = timing < 66   ? Timing::after
                  : timing < 78 ? Timing::early
                  : timing < 82 ? Timing::too_early
                  : timing < 83 ? Timing::after_minutes
                  : timing < 84 ? Timing::too_late
                                : Timing::never;
    if (plan.timing == Timing::after && random_.percent(25)) plan.visit = static_cast<Visit>(random_.between(1, 3));
    if (random_.percent(35)) plan.outcome = static_cast<Outcome>(random_.between(1, 4));
    const bool stays_open = plan.timing == Timing::after_minutes && plan.outcome != Outcome::refused;
    if (stays_open && late_visits_.percent(50)) plan.visit = Visit::minutes_after;
    plan.upload = random_.percent(35);
    plan.fails_first = plan.timing == Timing::after && random_.percent(5);
    return plan;
}

void WorldMaker::transfer(Session& s) {
    const Plan plan = draw_plan(s);
    const Timestamp from = s.trace.now();
    const bool is_long = plan.timing == Timing::after_minutes || plan.timing == Timing::too_late;
    const Host& listener = plan.is_passive() ? s.server : s.client;
    const auto place = reserve(listener.address, from, from + kLongest + (is_long ? 10 * kMinute : 0));
    if (!place) return;
    std::optional<TcpTalk> early;
    std::optional<std::size_t> connection;
    if (plan.timing == Timing::early || plan.timing == Timing::too_early) {
        const Host& originator = plan.is_passive() ? s.client : s.server;
        early = connect(s.trace, ephemeral(originator.address), *place, connection.emplace());
        plan.outcome == Outcome::refused ? (void)early->before_open().send(Side::client, {.flags = kFlagSyn})
                                         : (void)early->open();
        if (plan.timing == Timing::early)
            pause(s.trace, 800 * kMillisecond);
        else
            s.trace.wait(1100 * kMillisecond + random_.up_to(2 * kSecond));
    }
    announce(s, plan, *place);
    if (plan.timing == Timing::after_minutes) s.trace.wait(4 * kMinute + 30 * kSecond);
    if (plan.timing == Timing::too_late) s.trace.wait(5 * kMinute + kSecond + random_.up_to(10 * kSecond));
    pause(s.trace, 50 * kMillisecond);
    move(s, plan, *place, connection, std::move(early));
    release(*place, from, s.trace.now());
}

void WorldMaker::announce(Session& s, const Plan& plan, const TalkEnd& place) {
    TrueAnnouncement a{.session = s.number, .place = place};
    a.originator = plan.is_passive() ? s.client.address : s.server.address;
    FtpTalk& ftp = *s.ftp;
    const auto tell = [&](Side side, const std::string& line) {
        a.sent = s.trace.now();
        side == Side::client ? ftp.client(line) : ftp.server(line);
    };
    const std::string port = std::to_string(place.port);
    const IpAddress told = announced(plan.is_passive() ? s.server : s.client);
    switch (plan.mode) {
    case Mode::pasv:
        ftp.client("PASV");
        pause(s.trace, 20 * kMillisecond);
        tell(Side::server, "227 Entering Passive Mode (" + in_commas(told, place.port) + ").");
        break;
    case Mode::epsv:
        ftp.client("EPSV");
        tell(Side::server, "229 Entering Extended Passive Mode (|||" + port + "|)");
        break;
    case Mode::port:
        tell(Side::client, "PORT " + in_commas(told, place.port));
        ftp.server("200 OK.");
        break;
    case Mode::eprt:
        tell(Side::client, "EPRT |" + std::string(told.is_v4() ? "1|" : "2|") + told.to_string() + "|" + port + "|");
        ftp.server("200 OK.");
    }
    a.is_translated = plan.mode != Mode::epsv && told != place.address;
    world_.announcements.push_back(a);
}

// A stranger at the endpoint.
std::size_t WorldMaker::visit(Session& s, const TalkEnd& place, const IpAddress& awaited) {
    Host stranger = random_.pick(clients_[!place.address.is_v4()]);
    while (stranger.address == awaited || stranger.address == place.address)
        stranger = random_.pick(servers_[!place.address.is_v4()]);
    std::size_t connection;
    TcpTalk talk = connect(s.trace, ephemeral(stranger.address), place, connection);
    talk.open();
    if (random_.percent(60)) talk.server("What you wanted to see.");
    if (random_.percent(70)) {
        talk.close(Side::server);
        world_.connections[connection].ending = Ending::orderly;
    }
    world_.connections[connection].is_visitor = true;
    world_.connections[connection].sessions = {s.number};
    world_.connections[connection].announcements = {world_.announcements.size() - 1};
    return connection;
}

void WorldMaker::converse(TcpTalk& data, Side sender, const Plan& plan, std::uint64_t bytes) {
    if (plan.outcome == Outcome::empty || plan.outcome == Outcome::refused) return;
    while (bytes != 0) {
        const std::uint64_t piece = random_.between(1, bytes);
        data.say(sender, std::string(piece, 'x'));
        bytes -= piece;
        if (random_.percent(20)) pause(data.trace(), 300 * kMillisecond);
    }
}

void WorldMaker::finish_data(TcpTalk& data, std::size_t connection, Side sender, const Plan& plan) {
    TrueConnection& c = world_.connections[connection];
    switch (plan.outcome) {
    case Outcome::refused:
        data.rst(Side::server);
        c.ending = Ending::refused;
        break;
    case Outcome::reset:
        data.rst(sender);
        c.ending = Ending::reset;
        break;
    default:
        if (random_.percent(8)) return; // never closed
        data.close(sender);
        c.ending = Ending::orderly;
    }
}

void WorldMaker::move(Session& s, const Plan& plan, const TalkEnd& place, std::optional<std::size_t> connection,
                      std::optional<TcpTalk> early) {
    FtpTalk& ftp = *s.ftp;
    const IpAddress originator = plan.is_passive() ? s.client.address : s.server.address;
    if (plan.fails_first) ftp.client("RETR missing").server("550 No such file.");
    TrueCommand command{.session = s.number, .file = "f" + std::to_string(world_.commands.size()) + "z"};
    const std::uint64_t size = random_.percent(20) ? random_.between(1, 9000) : random_.between(1, 1500);
    const std::uint64_t moved = plan.outcome == Outcome::shorter ? size / 2 : size;
    const bool announces_size = !plan.upload && random_.percent(60);
    if (announces_size) command.announced_bytes = size;
    const std::string now = announces_size ? "150 Opening BINARY mode data connection for " + command.file + " (" +
                                                 std::to_string(size) + " bytes)."
                                           : "150 Now.";
    ftp.client((plan.upload ? "STOR " : "RETR ") + command.file);
    const auto index = world_.commands.size();
    world_.commands.push_back(command);
    if (plan.timing == Timing::never) {
        ftp.server("425 No connection.");
        return;
    }
    const bool greets_first = random_.percent(50);
    if (greets_first) ftp.server(now);
    if (plan.visit == Visit::before || plan.visit == Visit::alone)
        command.visitors.push_back(visit(s, place, originator));
    if (plan.visit == Visit::alone) {
        world_.commands[index].connection = command.visitors.front();
        world_.connections[command.visitors.front()].is_visitor = false; // there is no other
        if (!greets_first) world_.commands[index].announced_bytes = 0;
        ftp.server("226 Done.");
        return;
    }
    std::optional<TcpTalk> data = std::move(early);
    if (!data) {
        data = connect(s.trace, ephemeral(originator), place, connection.emplace());
        plan.outcome == Outcome::refused ? (void)data->before_open().send(Side::client, {.flags = kFlagSyn})
                                         : (void)data->open();
    }
    TrueConnection& c = world_.connections[*connection];
    c.sessions = {s.number};
    c.announcements = {world_.announcements.size() - 1};
    const bool counts = plan.timing != Timing::too_early && plan.timing != Timing::too_late;
    (counts ? world_.commands[index].connection : world_.commands[index].untimely) = *connection;
    if (!greets_first) ftp.server(now);
    if (plan.visit == Visit::after) command.visitors.push_back(visit(s, place, originator));
    world_.commands[index].visitors = command.visitors;
    const Side sender = plan.upload == plan.is_passive() ? Side::client : Side::server;
    converse(*data, sender, plan, moved);
    if (plan.visit == Visit::minutes_after) { // the transfer goes on; what was announced is long known to everybody
        s.trace.wait(3 * kMinute + late_visits_.up_to(100 * kSecond));
        world_.commands[index].visitors.push_back(visit(s, place, originator));
    }
    const bool done_first = random_.percent(30);
    if (done_first) ftp.server("226 Done.");
    finish_data(*data, *connection, sender, plan);
    if (!done_first) ftp.server("226 Done.");
}

// One client lets one server listen and tells another one to connect there.
void WorldMaker::run_third_party(Timestamp start) {
    Trace trace(start, static_cast<Duration>(random_.between(20, 3000)) * kMicrosecond);
    const Host client = random_.pick(clients_[0]);
    Session from = begin(trace, client, servers_[0][0]), to = begin(trace, client, servers_[0][1]);
    const Timestamp begun = trace.now();
    const auto place = reserve(from.server.address, begun, begun + kLongest, kFirstThirdParty);
    if (!place) return;
    const std::string told = in_commas(announced(from.server), place->port);
    const bool is_translated = from.server.is_translated;
    from.ftp->client("PASV");
    world_.announcements.push_back({from.number, *place, client.address, is_translated, trace.now()});
    from.ftp->server("227 Entering Passive Mode (" + told + ").");
    pause(trace, 30 * kMillisecond);
    world_.announcements.push_back({to.number, *place, to.server.address, is_translated, trace.now()});
    to.ftp->client("PORT " + told).server("200 OK.");
    std::size_t connection;
    TcpTalk data = connect(trace, ephemeral(to.server.address), *place, connection);
    TrueConnection& c = world_.connections[connection];
    c.sessions = {to.number, from.number};
    c.announcements = {world_.announcements.size() - 1, world_.announcements.size() - 2};
    for (Session* s : {&from, &to}) {
        world_.commands.push_back({.session = s->number,
                                   .file = "f" + std::to_string(world_.commands.size()) + "z",
                                   .connection = connection});
        s->ftp->client((s == &from ? "RETR " : "STOR ") + world_.commands.back().file).server("150 Now.");
    }
    data.open().server(std::string(random_.between(1, 5000), 'x')).close(Side::server);
    c.ending = Ending::orderly;
    for (Session* s : {&from, &to}) {
        s->ftp->server("226 Done.");
        end(*s);
    }
    release(*place, begun, trace.now());
    collect(trace, world_);
}

// Connections that nobody announced, some of them to ports beside those that are.
void WorldMaker::run_noise(Timestamp start) {
    Trace trace(start);
    const bool v6 = random_.percent(20);
    const auto port = static_cast<std::uint16_t>(random_.percent(50) ? kFirstListener + 100 : 80);
    std::size_t connection;
    TcpTalk talk = connect(trace, ephemeral(random_.pick(clients_[v6]).address),
                           {random_.pick(servers_[v6]).address, port}, connection);
    talk.open().client("GET /").server(std::string(random_.between(1, 3000), 'y'));
    if (random_.percent(80)) talk.close();
    collect(trace, world_);
}

} // namespace

World make_world(std::uint64_t seed) { return WorldMaker(seed).make(); }

} // namespace ftpsensor::test
