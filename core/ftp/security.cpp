#include "core/ftp/security.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

AuthMechanism find_mechanism(std::string_view argument, bool extended) {
    if (!extended)
        return argument == "TLS"      ? AuthMechanism::tls
               : argument == "GSSAPI" ? AuthMechanism::gssapi
                                      : AuthMechanism::none;
    const auto is = [argument](std::string_view name) {
        return std::equal(argument.begin(), argument.end(), name.begin(), name.end(),
                          [](char a, char b) { return to_upper(a) == b; });
    };
    // Servers take the rest just as well.
    if (is("TLS") || is("SSL") || is("TLS-C") || is("TLS-P")) return AuthMechanism::tls;
    return is("GSSAPI") ? AuthMechanism::gssapi : AuthMechanism::none;
}

// What a client that was granted TLS sends first: a record with its ClientHello (RFC 8446 5.1), or SSL 2's, whose
// length begins with a bit that no text has; 255 is Telnet's.
constexpr std::uint8_t kHandshake = 22;
constexpr bool begins_hello(std::uint8_t byte) { return byte == kHandshake || (byte >= 128 && byte < 255); }
// What a server sends first: records of any type.
constexpr bool begins_record(std::uint8_t byte) { return byte >= 20 && byte <= 23; }

std::uint32_t base64_value(char c) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return static_cast<std::uint32_t>(alphabet.find(c)); // all bits where it is none
}

// A security token in a reply (RFC 2228 5.1) that is the TLS record of a ServerHello, as the GSI mechanism sends it.
bool is_server_hello_token(std::string_view text) {
    constexpr std::string_view name = "ADAT=";
    constexpr std::size_t characters = 8; // of base64: six bytes
    if (!text.starts_with(name) || text.size() < name.size() + characters) return false;
    std::uint64_t bytes = 0;
    for (const char c : text.substr(name.size(), characters)) {
        const std::uint32_t value = base64_value(c);
        if (value > 63) return false;
        bytes = bytes << 6 | value;
    }
    constexpr std::uint64_t major_version = 3, server_hello = 2;
    return bytes >> 40 == kHandshake && (bytes >> 32 & 0xff) == major_version && (bytes & 0xff) == server_hello;
}

// The line begins as a reply of another code than 234.
bool is_another_reply(const FtpReply& reply) {
    if (reply.kind != FtpReply::Kind::inner) return reply.code != 234;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const std::string_view text = reply.text;
    if (text.size() < 4 || (text[3] != ' ' && text[3] != '-')) return false;
    return std::all_of(text.begin(), text.begin() + 3, is_digit) && !text.starts_with("234");
}

} // namespace

void FtpSecurity::reset(bool partial) {
    command_ = 0;
    asked_ = AuthMechanism::none;
    grant_ = Grant::none;
    request_missing_ = partial;
    in_reply_ = gssapi_ = gssapi_tls_ = false;
}

void FtpSecurity::ask(std::string_view argument, std::uint32_t command) {
    const AuthMechanism mechanism = find_mechanism(argument, options_.extended);
    // The one before is still to be answered.
    if (options_.extended && mechanism == AuthMechanism::none && asked_ != mechanism) return;
    asked_ = mechanism;
    command_ = command;
}

FtpSecurity::Outcome FtpSecurity::take_reply(const FtpReply& reply, AuthMechanism asked) {
    if (reply.code == 234 && options_.extended) {
        if (asked == AuthMechanism::tls)
            grant_ = Grant::said;
        else if (request_missing_ && grant_ == Grant::none)
            grant_ = Grant::guessed;
        in_reply_ = false;
    } else if (reply.code == 234 && asked == AuthMechanism::tls) {
        return Outcome::encrypted;
    }
    if (reply.code == 334 && asked == AuthMechanism::gssapi) gssapi_ = true;
    const bool token = gssapi_ && !gssapi_tls_ && (reply.code == 334 || reply.code == 335 || reply.code == 235);
    if (!token || !is_server_hello_token(reply.text)) return Outcome::none;
    gssapi_tls_ = true;
    return Outcome::gssapi_tls;
}

FtpSecurity::Outcome FtpSecurity::bytes_missing(bool from_originator) {
    if (!options_.extended) return Outcome::none;
    if (grant_ == Grant::said) return Outcome::encrypted; // what is missing may be what would have told
    if (from_originator) {
        request_missing();
        return Outcome::none;
    }
    if (asked_ == AuthMechanism::tls) grant_ = Grant::guessed;
    return Outcome::none;
}

// The responder's lines are read on, up to one that is none.
FtpSecurity::Sign FtpSecurity::look(bool from_originator, std::uint8_t next_byte) {
    const bool said = grant_ == Grant::said;
    if (from_originator) {
        grant_ = Grant::none;
        if (said ? begins_hello(next_byte) : next_byte == kHandshake) return Sign::encrypted;
        return said ? Sign::clear : Sign::open;
    }
    if (said && !in_reply_ && begins_record(next_byte)) return Sign::encrypted;
    in_reply_ = true;
    return Sign::open;
}

FtpSecurity::Sign FtpSecurity::look(const FtpReply& reply) {
    if (!is_another_reply(reply)) return Sign::open;
    const bool said = grant_ == Grant::said;
    grant_ = Grant::none;
    return said ? Sign::clear : Sign::open;
}

} // namespace ftpsensor
