#include "core/ftp/security.h"

#include "core/ftp/tls_hello.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

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

// Bytes of base64 as the reference decodes them: other characters are an error, as is what follows a padded group; an
// incomplete group is padded. The first of them go to `start`.
std::optional<std::size_t> decode_base64(std::string_view text, std::span<std::uint8_t> start) {
    std::size_t size = 0;
    bool padded = false;
    for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 4))) {
        std::uint32_t bits = 0, octets = 3;
        for (std::size_t i = 0; i < 4; ++i) {
            const char c = i < text.size() ? text[i] : '=';
            const std::uint32_t value = c == '=' ? 0 : base64_value(c);
            if (value > 63) return std::nullopt;
            bits = bits << 6 | value;
            if (c == '=' && octets != 0) --octets;
        }
        if (padded) return std::nullopt;
        padded = octets < 3;
        for (std::uint32_t i = 0; i < octets; ++i, ++size)
            if (size < start.size()) start[size] = static_cast<std::uint8_t>(bits >> (16 - 8 * i));
    }
    return size;
}

// A security token (RFC 2228 5.1) that is one TLS record with a ClientHello, as the GSI mechanism sends it first.
bool is_client_hello_token(std::string_view text) {
    std::array<std::uint8_t, kTlsHelloStart> start{};
    const std::optional<std::size_t> size = decode_base64(text, start);
    if (!size || *size < start.size() || start[0] != kHandshake) return false;
    constexpr std::size_t record_header = 5;
    const auto record = static_cast<std::size_t>(start[3] << 8 | start[4]);
    const std::uint32_t hello = tls_hello_size(start);
    return *size == record_header + record && hello != 0 && hello <= *size;
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
    return Outcome::none;
}

// The first token tells, as in the reference: nothing but TLS is known there.
FtpSecurity::Outcome FtpSecurity::take_token(std::string_view argument) {
    const bool first = std::exchange(gssapi_, false);
    if (!first || gssapi_tls_ || !is_client_hello_token(argument)) return Outcome::none;
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
