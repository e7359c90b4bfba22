#include "core/ftp/commands.h"

#include <algorithm>
#include <array>

namespace ftpsensor {

namespace {

using enum FtpCommand;

struct NamedCommand {
    std::string_view name;
    FtpCommand command;
};

constexpr NamedCommand kNames[] = {
    {"ABOR", abor}, {"ACCT", acct}, {"ALLO", allo}, {"APPE", appe}, {"AUTH", auth}, {"CDUP", cdup}, {"CLNT", clnt},
    {"CWD", cwd},   {"DELE", dele}, {"EPRT", eprt}, {"EPSV", epsv}, {"FEAT", feat}, {"HELP", help}, {"LIST", list},
    {"LPRT", lprt}, {"MACB", macb}, {"MDTM", mdtm}, {"MKD", mkd},   {"MLSD", mlsd}, {"MLST", mlst}, {"MODE", mode},
    {"NLST", nlst}, {"NOOP", noop}, {"OPTS", opts}, {"PASS", pass}, {"PASV", pasv}, {"PORT", port}, {"PWD", pwd},
    {"QUIT", quit}, {"REIN", rein}, {"REST", rest}, {"RETR", retr}, {"RMD", rmd},   {"RNFR", rnfr}, {"RNTO", rnto},
    {"SITE", site}, {"SIZE", size}, {"SMNT", smnt}, {"STAT", stat}, {"STOR", stor}, {"STOU", stou}, {"STRU", stru},
    {"SYST", syst}, {"TYPE", type}, {"USER", user}, {"XPWD", xpwd},
};
static_assert(std::size(kNames) == static_cast<std::size_t>(count_) - 2, "all but unknown and init have a name");

// Names of three or four letters as one number, in an open hash table twice as large as it need be.
constexpr std::uint32_t packed(std::string_view name) {
    std::uint32_t value = 0;
    for (const char c : name) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
}

constexpr std::size_t kSlots = 128;
constexpr std::size_t slot_of(std::uint32_t name) { return name * 2654435761u >> 25; }

struct Slot {
    std::uint32_t name = 0;
    FtpCommand command = unknown;
};

constexpr std::array<Slot, kSlots> make_slots() {
    std::array<Slot, kSlots> slots{};
    for (const NamedCommand& named : kNames) {
        std::size_t i = slot_of(packed(named.name));
        while (slots[i].name != 0) i = (i + 1) % kSlots;
        slots[i] = {packed(named.name), named.command};
    }
    return slots;
}
constexpr std::array<Slot, kSlots> kCommandSlots = make_slots();

struct Answers {
    FtpCommand command;
    std::array<std::uint16_t, 20> codes; // the rest 0
};

constexpr Answers kAnswers[] = {
    // RFC 959
    {init, {120, 220, 421}},
    {user, {230, 331, 332, 421, 500, 501, 530}},
    {pass, {202, 230, 332, 421, 500, 501, 503, 530}},
    {acct, {202, 230, 421, 500, 501, 503, 530}},
    {cwd, {250, 421, 500, 501, 502, 530, 550}},
    {cdup, {200, 250, 421, 500, 501, 502, 530, 550}},
    {smnt, {202, 250, 421, 500, 501, 502, 530, 550}},
    {rein, {120, 220, 421, 500, 502}},
    {quit, {221, 500}},
    {port, {200, 421, 500, 501, 530}},
    {pasv, {227, 421, 500, 501, 502, 530}},
    {mode, {200, 421, 500, 501, 502, 504, 530}},
    {type, {200, 421, 500, 501, 504, 530}},
    {stru, {200, 421, 500, 501, 504, 530}},
    {allo, {200, 202, 421, 500, 501, 504, 530}},
    {rest, {200, 350, 421, 500, 501, 502, 530}},
    {stor, {110, 125, 150, 226, 250, 421, 425, 426, 450, 451, 452, 500, 501, 530, 532, 550, 551, 552, 553}},
    {stou, {110, 125, 150, 226, 250, 421, 425, 426, 450, 451, 452, 500, 501, 530, 532, 550, 551, 552, 553}},
    {retr, {110, 125, 150, 226, 250, 421, 425, 426, 450, 451, 500, 501, 530, 550}},
    {list, {125, 150, 226, 250, 421, 425, 426, 450, 451, 500, 501, 502, 530, 550}},
    {nlst, {125, 150, 226, 250, 421, 425, 426, 450, 451, 500, 501, 502, 530, 550}},
    {appe, {125, 150, 226, 250, 421, 425, 426, 450, 451, 452, 500, 501, 502, 530, 532, 550, 551, 552, 553}},
    {rnfr, {350, 421, 450, 500, 501, 502, 530, 550}},
    {rnto, {250, 421, 500, 501, 502, 503, 530, 532, 553}},
    {dele, {250, 421, 450, 500, 501, 502, 530, 550}},
    {rmd, {250, 421, 500, 501, 502, 530, 550}},
    {mkd, {257, 421, 500, 501, 502, 530, 550}},
    {pwd, {257, 421, 500, 501, 502, 550}},
    {abor, {225, 226, 421, 500, 501, 502}},
    {syst, {215, 421, 500, 501, 502, 530}},
    {stat, {211, 212, 213, 421, 450, 500, 501, 502, 530}},
    {help, {200, 211, 214, 421, 500, 501, 502}},
    {site, {200, 202, 214, 500, 501, 502, 530}},
    {noop, {200, 421, 500}},
    // later RFCs
    {lprt, {500, 501, 521}},                // RFC 1639
    {feat, {211, 500, 502}},                // RFC 2389
    {opts, {200, 451, 501}},                // RFC 2389
    {epsv, {229, 500, 501}},                // RFC 2428
    {eprt, {200, 500, 501, 522}},           // RFC 2428
    {size, {213, 500, 501, 550}},           // RFC 3659
    {mdtm, {213, 500, 501, 550}},           // RFC 3659
    {mlst, {150, 226, 250, 500, 501, 550}}, // RFC 3659
    {mlsd, {150, 226, 250, 500, 501, 550}}, // RFC 3659
    // in no RFC
    {clnt, {200, 500}},      // the client names itself
    {macb, {200, 500, 550}}, // MacBinary
};

constexpr std::array<const Answers*, static_cast<std::size_t>(count_)> make_index() {
    std::array<const Answers*, static_cast<std::size_t>(count_)> index{};
    for (const Answers& row : kAnswers) index[static_cast<std::size_t>(row.command)] = &row;
    return index;
}
constexpr auto kAnswersOf = make_index();

constexpr std::uint64_t kPathCommands = bit(appe) | bit(cwd) | bit(dele) | bit(mkd) | bit(retr) | bit(rmd) | bit(rnfr) |
                                        bit(rnto) | bit(stor) | bit(stou) | bit(rest) | bit(size) | bit(mdtm);

} // namespace

FtpCommand find_command(std::string_view name) {
    if (name.size() != 3 && name.size() != 4) return unknown;
    const std::uint32_t wanted = packed(name);
    for (std::size_t i = slot_of(wanted); kCommandSlots[i].name != 0; i = (i + 1) % kSlots)
        if (kCommandSlots[i].name == wanted) return kCommandSlots[i].command;
    return unknown;
}

bool answers(FtpCommand command, std::uint32_t reply_code) {
    if (reply_code == 500) return true;                             // a syntax error can be any command's
    if (reply_code == 0) return command == init || command == quit; // a line inside a reply that looks like a reply
    const Answers* row = kAnswersOf[static_cast<std::size_t>(command)];
    return row != nullptr && std::find(row->codes.begin(), row->codes.end(), reply_code) != row->codes.end();
}

bool takes_path(FtpCommand command) { return (kPathCommands & bit(command)) != 0; }

bool tells_directory(FtpCommand command, std::uint32_t reply_code) {
    switch (command) {
    case cwd: return reply_code == 250;
    case cdup: return reply_code == 200 || reply_code == 250;
    case pwd:
    case xpwd: return reply_code == 257;
    default: return false;
    }
}

} // namespace ftpsensor
