// The entries of the mission's document (Zeek's page on ftp.log) as values, and ids from their text.
#pragma once

#include "core/log/text_buffer.h"
#include "core/record/entries.h"

#include <string>
#include <string_view>

namespace ftpsensor {

// "CpiNDBlI7UY8dHnAc": the id behind the letter, where it fits 96 bits.
inline Id96 id_of(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::uint64_t limbs[3] = {}; // 32 bits each, the lowest first
    for (const char c : text.substr(1)) {
        std::uint64_t carry = digits.find(c);
        for (std::uint64_t& limb : limbs) {
            carry += limb * 62;
            limb = carry & 0xffffffff;
            carry >>= 32;
        }
    }
    return {static_cast<std::uint32_t>(limbs[2]), limbs[1] << 32 | limbs[0]};
}

inline Timestamp at(std::int64_t seconds, std::int64_t micros) { return seconds * kSecond + micros * kMicrosecond; }

inline const IpAddress kClient = IpAddress::from_v4(192, 168, 4, 76);
inline const IpAddress kServer = IpAddress::from_v4(196, 216, 2, 24);

inline ConnEntry control_connection() {
    ConnEntry e;
    e.write_ts = at(1597559170, 266225);
    e.ts = at(1597559161, 485394);
    e.uid = id_of("CpiNDBlI7UY8dHnAc");
    e.id = {kClient, 53380, kServer, 21};
    e.proto = Transport::tcp;
    e.services = kServiceFtp;
    e.duration = zeek_seconds(at(1597559165, 266224)) - zeek_seconds(e.ts);
    e.orig_bytes = 184;
    e.resp_bytes = 451;
    e.state = ConnState::SF;
    e.local_orig = true;
    e.local_resp = false;
    e.history = "ShAdDafF";
    e.orig_pkts = 20;
    e.orig_ip_bytes = 1232;
    e.resp_pkts = 17;
    e.resp_ip_bytes = 1343;
    e.ip_proto = 6;
    return e;
}

inline ConnEntry data_connection() {
    ConnEntry e = control_connection();
    e.write_ts = at(1597559169, 771034);
    e.ts = at(1597559163, 774520);
    e.uid = id_of("C1zLMFA3Eh8KBlY4k");
    e.id = {kClient, 60474, kServer, 31746};
    e.services = kServiceFtpData;
    e.duration = zeek_seconds(at(1597559164, 771020)) - zeek_seconds(e.ts);
    e.orig_bytes = 0;
    e.resp_bytes = 74;
    e.history = "ShAdfFa";
    e.orig_pkts = 4;
    e.orig_ip_bytes = 216;
    e.resp_pkts = 4;
    e.resp_ip_bytes = 290;
    return e;
}

inline FtpEntry epsv_entry() {
    FtpEntry e;
    e.write_ts = at(1597559164, 77276);
    e.ts = at(1597559163, 553287);
    e.uid = id_of("CpiNDBlI7UY8dHnAc");
    e.id = {kClient, 53380, kServer, 21};
    e.user = "anonymous";
    e.password = "ftp@example.com";
    e.command = "EPSV";
    e.reply_code = 229;
    e.reply_msg = "Entering Extended Passive Mode (|||31746|).";
    e.data_channel = DataChannel{true, kClient, kServer, 31746};
    return e;
}

inline FtpEntry retr_entry() {
    FtpEntry e = epsv_entry();
    e.write_ts = at(1597559165, 117287);
    e.ts = at(1597559164, 597290);
    e.command = "RETR";
    e.arg = "ftp://196.216.2.24/pub/stats/afrinic/delegated-afrinic-extended-latest.md5";
    e.file_size = 74;
    e.reply_code = 226;
    e.reply_msg = "Transfer complete.";
    e.data_channel.reset();
    e.fuid = id_of("Ff2NAT13i3nOUmfNG");
    return e;
}

template <typename Writer, typename Entry>
std::string line_of(Writer&& writer, const Entry& entry) {
    TextBuffer buffer;
    writer.append(entry, buffer);
    return std::string(buffer.text());
}

} // namespace ftpsensor
