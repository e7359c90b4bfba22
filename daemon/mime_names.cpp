// libmagic's names for types, in the reference's vocabulary.
#include "daemon/mime_typer.h"

#include <algorithm>
#include <cctype>

namespace ftpsensor {

namespace {

struct Name {
    std::string_view magic;
    std::string_view reference;
};

// Where the two have different names for the same thing.
constexpr Name kRenamed[] = {
    {"application/gzip", "application/x-gzip"},
    {"application/json", "text/json"},
    {"application/octet-stream", ""},
    {"application/vnd.debian.binary-package", "application/x-debian-package"},
    {"application/vnd.microsoft.portable-executable", "application/x-dosexec"},
    {"application/vnd.rar", "application/x-rar"},
    {"application/x-mach-binary", "application/x-mach-o-executable"},
    {"application/x-ms-dos-executable", "application/x-dosexec"},
    {"application/x-pie-executable", "application/x-sharedlib"},
    {"application/x-rar-compressed", "application/x-rar"},
    {"application/zstd", ""},
    {"audio/x-m4a", "audio/m4a"},
    {"image/bmp", "image/x-ms-bmp"},
    {"image/vnd.microsoft.icon", "image/x-icon"},
    {"image/x-ms-bmp", "image/x-ms-bmp"},
    {"text/x-msdos-batch", "text/x-msdos-batch"},
    {"text/xml", "application/xml"},
};

// Names that both use. Types that libmagic alone knows are left out: the reference would have none.
constexpr std::string_view kShared[] = {
    "application/epub+zip",
    "application/java-archive",
    "application/javascript",
    "application/msword",
    "application/ogg",
    "application/pdf",
    "application/pgp-keys",
    "application/pgp-signature",
    "application/postscript",
    "application/vnd.ms-cab-compressed",
    "application/vnd.ms-fontobject",
    "application/vnd.ms-opentype",
    "application/vnd.ms-outlook",
    "application/vnd.ms-tnef",
    "application/vnd.oasis.opendocument.graphics",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.tcpdump.pcap",
    "application/warc",
    "application/x-7z-compressed",
    "application/x-archive",
    "application/x-arj",
    "application/x-bittorrent",
    "application/x-bzip2",
    "application/x-coredump",
    "application/x-cpio",
    "application/x-dosexec",
    "application/x-executable",
    "application/x-gzip",
    "application/x-hwp",
    "application/x-java-applet",
    "application/x-lz4",
    "application/x-lzip",
    "application/x-lzma",
    "application/x-object",
    "application/x-rpm",
    "application/x-sharedlib",
    "application/x-shockwave-flash",
    "application/x-stuffit",
    "application/x-tar",
    "application/x-xar",
    "application/x-xz",
    "application/zip",
    "audio/basic",
    "audio/midi",
    "audio/mpeg",
    "audio/x-aiff",
    "audio/x-ape",
    "audio/x-flac",
    "audio/x-wav",
    "image/gif",
    "image/jp2",
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "image/tiff",
    "image/vnd.adobe.photoshop",
    "image/vnd.djvu",
    "image/webp",
    "image/x-icon",
    "image/x-xcf",
    "message/news",
    "message/rfc822",
    "text/calendar",
    "text/html",
    "text/rtf",
    "text/x-diff",
    "text/x-perl",
    "text/x-php",
    "text/x-python",
    "text/x-ruby",
    "text/x-shellscript",
    "text/x-tcl",
    "text/x-tex",
    "text/x-lua",
    "text/x-m4",
    "text/x-po",
    "video/3gpp",
    "video/mp2p",
    "video/mp2t",
    "video/mp4",
    "video/mpeg",
    "video/quicktime",
    "video/webm",
    "video/x-flv",
    "video/x-matroska",
    "video/x-ms-asf",
    "video/x-msvideo",
};

// The reference takes for text what begins with ten characters of it, behind a byte order mark where there is one.
bool begins_as_text(std::string_view bytes) {
    for (const std::string_view mark :
         {std::string_view("\xef\xbb\xbf", 3), std::string_view("\x00\x00\xfe\xff", 4), std::string_view("\xfe\xff", 2),
          std::string_view("\xff\xfe\x00\x00", 4), std::string_view("\xff\xfe", 2)}) {
        if (!bytes.starts_with(mark)) continue;
        bytes.remove_prefix(mark.size());
        break;
    }
    constexpr std::size_t kEnough = 10;
    return bytes.size() >= kEnough && std::all_of(bytes.begin(), bytes.begin() + kEnough, [](unsigned char c) {
               return (c >= 0x20 && c <= 0x7e) || (c >= '\t' && c <= '\r');
           });
}

} // namespace

std::string_view reference_type(std::string_view type, std::string_view bytes) {
    for (const Name& name : kRenamed)
        if (name.magic == type && !name.reference.empty()) return name.reference;
    for (const std::string_view name : kShared)
        if (name == type) return name;
    return begins_as_text(bytes) ? std::string_view("text/plain") : std::string_view{};
}

} // namespace ftpsensor
