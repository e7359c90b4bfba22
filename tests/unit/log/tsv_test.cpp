// The tab-separated form: header, rows, end, as Zeek's ASCII writer gives them.
#include "core/log/format.h"
#include "sample_entries.h"
#include "tests/support/catch.h"

#include <algorithm>

using namespace ftpsensor;

namespace {

FormatOptions options_of(bool extended, TimestampFormat timestamps) {
    return {LogFormat::tsv, timestamps, "ds61", "worker-01", extended};
}

std::string header_of(const FormatOptions& options, LogKind log) {
    TextBuffer buffer;
    Formatter(options).append_header(log, 1597559161, buffer);
    return std::string(buffer.text());
}

auto tabs(const std::string& line) { return std::count(line.begin(), line.end(), '\t'); }

std::string header_line(const std::string& header, const std::string& name) {
    const auto begin = header.find('#' + name + '\t');
    REQUIRE(begin != std::string::npos);
    return header.substr(begin, header.find('\n', begin) - begin);
}

} // namespace

TEST_CASE("conn.log's header") {
    CHECK(header_of(options_of(false, TimestampFormat::epoch), LogKind::conn) ==
          "#separator \\x09\n"
          "#set_separator\t,\n"
          "#empty_field\t(empty)\n"
          "#unset_field\t-\n"
          "#path\tconn\n"
          "#open\t2020-08-16-06-26-01\n"
          "#fields\t_path\t_system_name\t_write_ts\t_node\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\t"
          "service\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\t"
          "orig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\tip_proto\tcommunity_id\n"
          "#types\tstring\tstring\ttime\tstring\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\t"
          "count\tstring\tbool\tbool\tcount\tstring\tcount\tcount\tcount\tcount\tset[string]\tcount\tstring\n");
}

TEST_CASE("a column for interim entries where there may be some") {
    FormatOptions options = options_of(false, TimestampFormat::epoch);
    options.interim = true;
    const std::string header = header_of(options, LogKind::conn);
    CHECK(header_line(header, "fields").ends_with("\tcommunity_id\tinterim"));
    CHECK(header_line(header, "types").ends_with("\tstring\tbool"));
    Formatter formatter(options);
    ConnEntry entry;
    for (const auto& [interim, text] : {std::pair{std::optional<bool>{}, "\t-\n"}, {true, "\tT\n"}, {false, "\tF\n"}}) {
        entry.interim = interim;
        TextBuffer buffer;
        formatter.append(entry, buffer);
        CHECK(std::string(buffer.text()).ends_with(text));
    }
}

TEST_CASE("a column for what a port counted, where ports may count, and only with extended") {
    FormatOptions options = options_of(true, TimestampFormat::epoch);
    CHECK(header_line(header_of(options, LogKind::conn), "fields").ends_with("\tcommunity_id\tcontrol_uid"));
    options.shunts = true;
    CHECK(header_line(header_of(options, LogKind::conn), "fields").ends_with("\tcommunity_id\tcontrol_uid\tshunted"));
    Formatter formatter(options);
    ConnEntry entry;
    for (const auto& [shunted, text] : {std::pair{false, "\tF\n"}, {true, "\tT\n"}}) {
        entry.shunted = shunted;
        TextBuffer buffer;
        formatter.append(entry, buffer);
        CHECK(std::string(buffer.text()).ends_with(text));
    }
    options.extended = false;
    CHECK(header_line(header_of(options, LogKind::conn), "fields").ends_with("\tcommunity_id"));
}

TEST_CASE("ftp.log's header, with our fields and without names") {
    FormatOptions options = options_of(true, TimestampFormat::epoch);
    options.system_name.clear();
    options.node.clear();
    const std::string header = header_of(options, LogKind::ftp);
    CHECK(header_line(header, "path") == "#path\tftp");
    CHECK(
        header_line(header, "fields") ==
        "#fields\t_path\t_write_ts\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tuser\tpassword\tcommand\targ\t"
        "mime_type\tfile_size\treply_code\treply_msg\tdata_channel.passive\tdata_channel.orig_h\tdata_channel.resp_h\t"
        "data_channel.resp_p\tfuid\tdata_channel.uid\tdata_channel.bytes\tdata_channel.complete");
    CHECK(header_line(header, "types") ==
          "#types\tstring\ttime\ttime\tstring\taddr\tport\taddr\tport\tstring\tstring\tstring\tstring\tstring\tcount\t"
          "count\tstring\tbool\taddr\taddr\tport\tstring\tstring\tcount\tbool");
}

TEST_CASE("the end of a file") {
    TextBuffer buffer;
    Formatter(options_of(false, TimestampFormat::epoch)).append_footer(1597561200, buffer);
    CHECK(buffer.text() == "#close\t2020-08-16-07-00-00\n");
}

TEST_CASE("rows with epoch times, six decimals") {
    Formatter formatter(options_of(false, TimestampFormat::epoch));
    ConnEntry conn = control_connection();
    conn.ts = at(1597559161, 500000);
    CHECK(line_of(formatter, conn) ==
          "conn\tds61\t1597559170.266225\tworker-01\t1597559161.500000\tCpiNDBlI7UY8dHnAc\t192.168.4.76\t53380\t"
          "196.216.2.24\t21\ttcp\tftp\t3.780830\t184\t451\tSF\tT\tF\t0\tShAdDafF\t20\t1232\t17\t1343\t-\t6\t"
          "1:lEESxqaSVYqFZvWNb4OccTa9sTs=\n");
    CHECK(line_of(formatter, epsv_entry()) ==
          "ftp\tds61\t1597559164.077276\tworker-01\t1597559163.553287\tCpiNDBlI7UY8dHnAc\t192.168.4.76\t53380\t"
          "196.216.2.24\t21\tanonymous\tftp@example.com\tEPSV\t-\t-\t-\t229\t"
          "Entering Extended Passive Mode (|||31746|).\tT\t192.168.4.76\t196.216.2.24\t31746\t-\n");
}

TEST_CASE("ISO times, unset and empty fields, sets") {
    Formatter formatter(options_of(true, TimestampFormat::iso8601));
    ConnEntry conn;
    conn.uid = id_of("C1");
    conn.ts = conn.write_ts = at(0, 1);
    const Id96 parents[] = {id_of("Ca"), id_of("Cb")};
    conn.tunnel_parents = parents;
    CHECK(
        line_of(formatter, conn)
            .starts_with("conn\tds61\t1970-01-01T00:00:00.000001Z\tworker-01\t1970-01-01T00:00:00.000001Z\tC1\t::\t0\t"
                         "::\t0\tunknown_transport\t-\t-\t-\t-\tOTH\t-\t-\t0\t-\t0\t0\t0\t0\tCa,Cb\t0\t1:"));
    FtpEntry ftp;
    ftp.uid = id_of("C1");
    ftp.user = "";
    ftp.password = "-";
    ftp.arg = "a\tb\\c";
    CHECK(line_of(formatter, ftp).ends_with("\t(empty)\t\\x2d\t-\ta\\x09b\\\\c\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\n"));
}

TEST_CASE("every row has as many columns as the header") {
    for (const bool extended : {false, true}) {
        const FormatOptions options = options_of(extended, TimestampFormat::epoch);
        Formatter formatter(options);
        const std::string conn_header = header_of(options, LogKind::conn);
        const std::string ftp_header = header_of(options, LogKind::ftp);
        // #fields itself takes one tab more than a row
        CHECK(tabs(header_line(conn_header, "fields")) == tabs(line_of(formatter, control_connection())) + 1);
        CHECK(tabs(header_line(conn_header, "types")) == tabs(line_of(formatter, ConnEntry{})) + 1);
        CHECK(tabs(header_line(ftp_header, "fields")) == tabs(line_of(formatter, retr_entry())) + 1);
        CHECK(tabs(header_line(ftp_header, "types")) == tabs(line_of(formatter, FtpEntry{})) + 1);
    }
}
