#include "core/log/gzip_member.h"

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>

#include <zlib.h>

namespace ftpsensor {

namespace {

// ID1 ID2, deflate, FEXTRA, no mtime, no xfl, OS unknown; XLEN 24; "FS", 20 bytes. The rest is length and times.
constexpr std::array<std::uint8_t, kMemberSignatureBytes> kFixedHeader = {0x1f, 0x8b, 8,  4, 0,   0,   0,  0,
                                                                          0,    255,  24, 0, 'F', 'S', 20, 0};
constexpr std::size_t kLengthAt = 16;
constexpr std::size_t kFirstAt = 20;
constexpr std::size_t kLastAt = 28;
static_assert(kLastAt + 8 == kMemberHeaderBytes);

void store_le(std::uint8_t* out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint64_t load_le(const std::uint8_t* in, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8 | in[i];
    return value;
}

std::size_t level_buffer_bytes(unsigned level) {
    switch (level) {
    case 0: return ISAL_DEF_LVL0_DEFAULT;
    case 1: return ISAL_DEF_LVL1_DEFAULT;
    case 2: return ISAL_DEF_LVL2_DEFAULT;
    case 3: return ISAL_DEF_LVL3_DEFAULT;
    default: throw std::invalid_argument("compression level " + std::to_string(level) + ": 0 to 3 are possible");
    }
}

} // namespace

GzipCompressor::GzipCompressor(unsigned level)
    : stream_(std::make_unique<isal_zstream>()), level_buffer_(level_buffer_bytes(level)), out_(64u << 10) {
    isal_deflate_init(stream_.get());
    stream_->level = level;
    stream_->level_buf = level_buffer_.data();
    stream_->level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
    stream_->gzip_flag = IGZIP_GZIP_NO_HDR; // the header is ours, checksum and length behind the data are ISA-L's
    stream_->end_of_stream = 1;
    std::copy(kFixedHeader.begin(), kFixedHeader.end(), out_.begin());
}

std::span<const std::uint8_t> GzipCompressor::compress(std::string_view text, const MemberTimes& times) {
    if (text.size() > kMemberTextBytesMax) throw std::length_error("gzip member: too much text");
    deflate(text);
    store_le(out_.data() + kLengthAt, out_bytes_, 4);
    store_le(out_.data() + kFirstAt, static_cast<std::uint64_t>(times.first), 8);
    store_le(out_.data() + kLastAt, static_cast<std::uint64_t>(times.last), 8);
    return {out_.data(), out_bytes_};
}

void GzipCompressor::deflate(std::string_view text) {
    isal_deflate_reset(stream_.get());
    // ISA-L's interface is not const-correct: it only reads from next_in.
    stream_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    stream_->avail_in = static_cast<std::uint32_t>(text.size());
    out_bytes_ = kMemberHeaderBytes;
    while (true) {
        stream_->next_out = out_.data() + out_bytes_;
        stream_->avail_out = static_cast<std::uint32_t>(out_.size() - out_bytes_);
        if (isal_deflate(stream_.get()) != COMP_OK) throw std::logic_error("isal_deflate refused its parameters");
        out_bytes_ = out_.size() - stream_->avail_out;
        if (stream_->internal_state.state == ZSTATE_END) return;
        out_.resize(out_.size() * 2); // what has been compressed stays; grows to the size of the largest member
    }
}

bool may_begin_member(std::span<const std::uint8_t> bytes) {
    const std::size_t n = std::min(bytes.size(), kFixedHeader.size());
    return std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n), kFixedHeader.begin());
}

std::optional<MemberHeader> parse_member_header(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < kMemberHeaderBytes || !may_begin_member(bytes)) return std::nullopt;
    MemberHeader header;
    header.member_bytes = static_cast<std::uint32_t>(load_le(bytes.data() + kLengthAt, 4));
    header.times.first = static_cast<Timestamp>(load_le(bytes.data() + kFirstAt, 8));
    header.times.last = static_cast<Timestamp>(load_le(bytes.data() + kLastAt, 8));
    if (header.member_bytes < kMemberHeaderBytes + kMemberTrailerBytes) return std::nullopt;
    return header;
}

std::size_t find_member(std::span<const std::uint8_t> bytes) {
    const auto found = std::search(bytes.begin(), bytes.end(), kFixedHeader.begin(), kFixedHeader.end());
    return static_cast<std::size_t>(found - bytes.begin());
}

std::size_t whole_member_bytes(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < kMemberHeaderBytes + kMemberTrailerBytes) return 0;
    z_stream stream{};
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc(); // 16: gzip, checksum and length included
    std::vector<std::uint8_t> scratch(64u << 10);
    stream.next_in = const_cast<std::uint8_t*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    int result = Z_OK;
    while (result == Z_OK) {
        stream.next_out = scratch.data();
        stream.avail_out = static_cast<uInt>(scratch.size());
        result = inflate(&stream, Z_NO_FLUSH);
    }
    inflateEnd(&stream);
    return result == Z_STREAM_END ? bytes.size() - stream.avail_in : 0;
}

bool member_unpacks(std::span<const std::uint8_t> member) {
    return !member.empty() && whole_member_bytes(member) == member.size();
}

} // namespace ftpsensor
