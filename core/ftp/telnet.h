// The lines of one direction of a control channel.
//
// FTP's control channel is a Telnet stream (RFC 959 3.1, RFC 854): options may stand anywhere and are taken out, and a
// line ends with CR LF. As in Zeek's NVT analyzer a bare LF ends a line too, a bare CR belongs to it, a NUL after a CR
// is dropped, and so is the first other NUL of a direction; later ones belong to the line.
// Two things Zeek does are left out, since a server that ignores them would be hidden by them: a negotiated BINARY
// option that strips the eighth bit, and a negotiated ENCRYPT option that ends parsing. For the same reason an LF ends
// the line (`line_first`, with ftp.extended) also where a Telnet command or suboption was not at its end:
// to a server without Telnet it does, and what follows is its next command. In Zeek's NVT it belongs to the option.
//
// A line that lies wholly in the caller's bytes and needs no repair is returned in place; any other is put together in
// the reader's buffer. The lines do not depend on how the bytes are cut. Part of one session, so one worker's.
#pragma once

#include "core/ftp/byte_buffer.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace ftpsensor {

// The longest line that is looked at. Zeek's bound is 16 MiB less 100 bytes. Of a longer line the beginning is taken,
// when its end comes, and the rest is dropped: it never passes for lines of its own.
inline constexpr std::size_t kFtpLineBytesMax = 16u << 10;

// What was odd in the lines of a connection, for its session to count. One for both directions: a NUL and a lone CR
// count once a connection.
struct LineOddities {
    bool nul = false;
    bool lone_cr = false;
    bool nul_reported = false;
    bool lone_cr_reported = false;
    std::uint32_t too_long = 0; // lines cut, and Telnet suboptions without end, since last reported
};

class TelnetLineReader {
public:
    explicit TelnetLineReader(LineOddities& oddities) : oddities_(oddities) {}

    // `partial`: the connection's beginning was not captured, so a NUL as its first byte is a keep-alive.
    void reset(bool partial, bool line_first);

    // Takes bytes off the front of `data` to the end of the next line. False: `data` is used up and no line has ended.
    // `line` has no line end and no Telnet options; it is valid until the next call, and as long as `data` is.
    bool next(std::span<const std::uint8_t>& data, std::string_view& line);

    // Bytes of a line without an end are there.
    bool has_partial_line() const { return (!emitted_ && !buffer_.empty()) || telnet_ != Telnet::none; }
    // How many bytes of it; without a CR at its end, which may be the line end's.
    std::size_t partial_line_bytes() const {
        return emitted_ ? 0 : buffer_.size() - (last_byte_ == '\r' && !overflow_ ? 1 : 0);
    }
    std::size_t capacity() const { return buffer_.capacity(); }

private:
    enum class Telnet : std::uint8_t { none, command, option, suboption, suboption_command };

    std::size_t skip_telnet(std::span<const std::uint8_t> data);
    bool take_in_place(std::span<const std::uint8_t>& data, std::size_t special, std::string_view& line);
    void append(std::string_view bytes);
    bool take_special(std::uint8_t byte, std::string_view& line);
    void take_nul();
    std::string_view end_line();
    std::string_view cut(std::string_view line);
    void drop_line();

    LineOddities& oddities_;
    ByteBuffer buffer_{kFtpLineBytesMax + 1}; // one more: a CR that may turn out to belong to the line's end
    std::uint32_t suboption_bytes_ = 0;
    std::uint8_t last_byte_ = 0; // of the line, options left out
    Telnet telnet_ = Telnet::none;
    bool emitted_ = false;  // the buffer holds the line returned last
    bool overflow_ = false; // bytes of the line were dropped
    bool drop_nul_ = true;  // the first NUL has not been seen
    bool partial_ = false;
    bool line_first_ = true;
    bool first_byte_ = true; // nothing was read yet
};

} // namespace ftpsensor
