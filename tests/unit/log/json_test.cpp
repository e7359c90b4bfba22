// JSON lines: the document's entries to the byte, what is left out, and the largest values that fit.
#include "core/log/format.h"
#include "sample_entries.h"
#include "tests/support/catch.h"

#include <limits>

using namespace ftpsensor;

namespace {

Formatter mission_formatter(bool extended = false) {
    FormatOptions options;
    options.system_name = "ds61";
    options.node = "worker-01";
    options.extended = extended;
    return Formatter(options);
}

const std::string kControlLine =
    R"({"_path":"conn","_system_name":"ds61","_write_ts":"2020-08-16T06:26:10.266225Z","_node":"worker-01",)"
    R"("ts":"2020-08-16T06:26:01.485394Z","uid":"CpiNDBlI7UY8dHnAc","id.orig_h":"192.168.4.76","id.orig_p":53380,)"
    R"("id.resp_h":"196.216.2.24","id.resp_p":21,"proto":"tcp","service":"ftp","duration":3.780829906463623,)"
    R"("orig_bytes":184,"resp_bytes":451,"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,)"
    R"("history":"ShAdDafF","orig_pkts":20,"orig_ip_bytes":1232,"resp_pkts":17,"resp_ip_bytes":1343,"ip_proto":6,)"
    R"("community_id":"1:lEESxqaSVYqFZvWNb4OccTa9sTs="})"
    "\n";

const std::string kDataLine =
    R"({"_path":"conn","_system_name":"ds61","_write_ts":"2020-08-16T06:26:09.771034Z","_node":"worker-01",)"
    R"("ts":"2020-08-16T06:26:03.774520Z","uid":"C1zLMFA3Eh8KBlY4k","id.orig_h":"192.168.4.76","id.orig_p":60474,)"
    R"("id.resp_h":"196.216.2.24","id.resp_p":31746,"proto":"tcp","service":"ftp-data","duration":0.9965000152587891,)"
    R"("orig_bytes":0,"resp_bytes":74,"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,)"
    R"("history":"ShAdfFa","orig_pkts":4,"orig_ip_bytes":216,"resp_pkts":4,"resp_ip_bytes":290,"ip_proto":6,)"
    R"("community_id":"1:DNwvGR6Ots6pISvsdXBUIaG8y3Q="})"
    "\n";

const std::string kEpsvLine =
    R"({"_path":"ftp","_system_name":"ds61","_write_ts":"2020-08-16T06:26:04.077276Z","_node":"worker-01",)"
    R"("ts":"2020-08-16T06:26:03.553287Z","uid":"CpiNDBlI7UY8dHnAc","id.orig_h":"192.168.4.76","id.orig_p":53380,)"
    R"("id.resp_h":"196.216.2.24","id.resp_p":21,"user":"anonymous","password":"ftp@example.com","command":"EPSV",)"
    R"("reply_code":229,"reply_msg":"Entering Extended Passive Mode (|||31746|).","data_channel.passive":true,)"
    R"("data_channel.orig_h":"192.168.4.76","data_channel.resp_h":"196.216.2.24","data_channel.resp_p":31746})"
    "\n";

const std::string kRetrLine =
    R"({"_path":"ftp","_system_name":"ds61","_write_ts":"2020-08-16T06:26:05.117287Z","_node":"worker-01",)"
    R"("ts":"2020-08-16T06:26:04.597290Z","uid":"CpiNDBlI7UY8dHnAc","id.orig_h":"192.168.4.76","id.orig_p":53380,)"
    R"("id.resp_h":"196.216.2.24","id.resp_p":21,"user":"anonymous","password":"ftp@example.com","command":"RETR",)"
    R"("arg":"ftp://196.216.2.24/pub/stats/afrinic/delegated-afrinic-extended-latest.md5","file_size":74,)"
    R"("reply_code":226,"reply_msg":"Transfer complete.","fuid":"Ff2NAT13i3nOUmfNG"})"
    "\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("the document's four entries come out byte for byte") {
    Formatter formatter = mission_formatter();
    CHECK(line_of(formatter, control_connection()) == kControlLine);
    CHECK(line_of(formatter, epsv_entry()) == kEpsvLine);
    CHECK(line_of(formatter, retr_entry()) == kRetrLine);
    CHECK(line_of(formatter, data_connection()) == kDataLine);
}

TEST_CASE("entries append to what is in the buffer") {
    Formatter formatter = mission_formatter();
    TextBuffer buffer;
    formatter.append(control_connection(), buffer);
    formatter.append(retr_entry(), buffer);
    CHECK(buffer.text() == kControlLine + kRetrLine);
}

TEST_CASE("names left empty are left out, names are escaped") {
    FormatOptions options;
    Formatter bare(options);
    CHECK(line_of(bare, control_connection())
              .starts_with(R"({"_path":"conn","_write_ts":"2020-08-16T06:26:10.266225Z","ts":"2020-)"));
    options.system_name = "a\"b";
    Formatter quoted(options);
    CHECK(line_of(quoted, control_connection()).starts_with(R"({"_path":"conn","_system_name":"a\"b","_write_ts")"));
}

TEST_CASE("absent fields are left out") {
    Formatter formatter = mission_formatter(true);
    ConnEntry conn = control_connection();
    conn.services = 0;
    conn.duration.reset();
    conn.orig_bytes.reset();
    conn.resp_bytes.reset();
    conn.local_orig.reset();
    conn.local_resp.reset();
    conn.history = {};
    conn.proto = Transport::unknown;
    const std::string line = line_of(formatter, conn);
    CHECK(contains(line, R"("proto":"unknown_transport","conn_state":"SF","missed_bytes":0,"orig_pkts":20,)"));
    CHECK_FALSE(contains(line, "tunnel_parents"));
    CHECK_FALSE(contains(line, "control_uid"));

    FtpEntry ftp;
    ftp.user = "<unknown>";
    CHECK(contains(line_of(formatter, ftp), R"("id.resp_p":0,"user":"<unknown>"})"));
}

TEST_CASE("services, tunnel parents and states by name") {
    Formatter formatter = mission_formatter();
    ConnEntry conn = control_connection();
    conn.services = kServiceFtp | kServiceSsl | kServiceGssapi;
    conn.state = ConnState::RSTOS0;
    const Id96 parents[] = {id_of("Ca"), id_of("CpiNDBlI7UY8dHnAc")};
    conn.tunnel_parents = parents;
    const std::string line = line_of(formatter, conn);
    CHECK(contains(line, R"("service":"ftp,ssl,gssapi",)"));
    CHECK(contains(line, R"("conn_state":"RSTOS0",)"));
    CHECK(contains(line, R"("resp_ip_bytes":1343,"tunnel_parents":["Ca","CpiNDBlI7UY8dHnAc"],"ip_proto":6,)"));
}

TEST_CASE("our own fields follow the reference's, and only with extended") {
    ConnEntry conn = data_connection();
    conn.control_uid = id_of("CpiNDBlI7UY8dHnAc");
    FtpEntry ftp = retr_entry();
    ftp.data_uid = id_of("C1zLMFA3Eh8KBlY4k");
    ftp.data_bytes = 74;
    ftp.data_complete = true;
    Formatter strict = mission_formatter(false);
    CHECK(line_of(strict, conn) == kDataLine);
    CHECK(line_of(strict, ftp) == kRetrLine);
    Formatter extended = mission_formatter(true);
    CHECK(line_of(extended, conn)
              .ends_with(R"(y3Q=","control_uid":"CpiNDBlI7UY8dHnAc"})"
                         "\n"));
    conn.shunted = true;
    CHECK(line_of(strict, conn) == kDataLine);
    CHECK(line_of(extended, conn)
              .ends_with(R"("control_uid":"CpiNDBlI7UY8dHnAc","shunted":true})"
                         "\n"));
    CHECK(line_of(extended, ftp)
              .ends_with(R"("fuid":"Ff2NAT13i3nOUmfNG","data_channel.uid":"C1zLMFA3Eh8KBlY4k","data_channel.bytes":74,)"
                         R"("data_channel.complete":true})"
                         "\n"));
}

TEST_CASE("epoch times are numbers") {
    FormatOptions options;
    options.timestamps = TimestampFormat::epoch;
    Formatter formatter(options);
    ConnEntry conn = control_connection();
    conn.write_ts = at(1597559170, 0);
    CHECK(line_of(formatter, conn)
              .starts_with(R"({"_path":"conn","_write_ts":1597559170.0,"ts":1597559161.485394,"uid")"));
}

TEST_CASE("JSON files have no header and no footer") {
    const Formatter formatter = mission_formatter();
    TextBuffer buffer;
    formatter.append_header(LogKind::conn, 0, buffer);
    formatter.append_footer(0, buffer);
    CHECK(buffer.empty());
}

// The buffer's check of its end would abort here if a bound were too small.
TEST_CASE("the largest values fit what is reserved") {
    std::uint8_t longest[16];
    for (std::uint8_t& byte : longest) byte = 0xff;
    const Id96 id{0xffffffff, ~0ull};
    const auto most = std::numeric_limits<std::uint64_t>::max();
    ConnEntry conn;
    conn.ts = conn.write_ts = std::numeric_limits<Timestamp>::min();
    conn.uid = id;
    conn.id = {IpAddress::from_v6(longest), 65535, IpAddress::from_v6(longest), 65535};
    conn.services = 0xff;
    conn.duration = -1.7976931348623157e308;
    conn.orig_bytes = conn.resp_bytes = most;
    conn.local_orig = conn.local_resp = false;
    conn.missed_bytes = conn.orig_pkts = conn.orig_ip_bytes = conn.resp_pkts = conn.resp_ip_bytes = most;
    conn.ip_proto = 255;
    conn.control_uid = id;
    conn.shunted = true;
    conn.interim = false;
    const std::string bad(300, '\x01');
    conn.history = bad;
    const std::vector<Id96> parents(100, id);
    conn.tunnel_parents = parents;
    FtpEntry ftp;
    ftp.ts = ftp.write_ts = conn.ts;
    ftp.uid = id;
    ftp.id = conn.id;
    ftp.user = bad;
    ftp.password = ftp.command = ftp.arg = ftp.mime_type = ftp.reply_msg = bad;
    ftp.file_size = ftp.data_bytes = most;
    ftp.reply_code = 0xffffffff;
    ftp.data_channel = DataChannel{false, conn.id.orig_h, conn.id.resp_h, 65535};
    ftp.fuid = ftp.data_uid = id;
    ftp.data_complete = false;
    for (const LogFormat format : {LogFormat::json, LogFormat::tsv}) {
        for (const TimestampFormat timestamps : {TimestampFormat::iso8601, TimestampFormat::epoch}) {
            FormatOptions options{format, timestamps, bad, bad, true};
            Formatter formatter(options);
            TextBuffer fresh_conn; // exactly what was reserved, as nothing was there before
            formatter.append(conn, fresh_conn);
            TextBuffer fresh_ftp;
            formatter.append(ftp, fresh_ftp);
            CHECK(fresh_conn.size() > 1000);
            CHECK(fresh_ftp.size() > 1000);
        }
    }
}
