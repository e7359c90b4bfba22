// The order of merged records, whoever brought them, and whenever.
#include "core/log/record_merge.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <random>

using namespace ftpsensor;

namespace {

struct Collector {
    std::vector<StreamKey> keys;
    std::string texts;
    void connection(const ConnRecord& r, std::string_view text) {
        keys.push_back(r.key);
        texts += text;
    }
    void ftp(const FtpRecord& r, std::string_view text, std::uint64_t) {
        keys.push_back(r.key);
        texts += text;
    }
};

FtpRecord ftp_at(Timestamp time, std::uint64_t packet, std::uint64_t uid, std::uint32_t place) {
    FtpRecord r;
    r.logged = true;
    r.key = {time, packet, {0, uid}, place};
    return r;
}

} // namespace

TEST_CASE("only what is due is released") {
    RecordMerge merge({});
    Collector out;
    merge.add(ftp_at(10, 1, 1, 0), "a", 0);
    merge.add(ftp_at(20, 2, 1, 1), "b", 0);
    merge.release(20, out);
    CHECK(out.texts == "a");
    CHECK(merge.held() == 1);
    merge.release(21, out);
    CHECK(out.texts == "ab");
}

TEST_CASE("any order of arrival gives one order: time, packet, connection, place") {
    std::vector<FtpRecord> records;
    for (Timestamp t : {5, 6})
        for (std::uint64_t packet : {0u, 3u})
            for (std::uint64_t uid : {1u, 2u})
                for (std::uint32_t place : {0u, 1u}) records.push_back(ftp_at(t, packet, uid, place));
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        auto shuffled = records;
        std::shuffle(shuffled.begin(), shuffled.end(), random);
        RecordMerge merge({});
        for (const auto& r : shuffled) merge.add(r, {}, 0);
        Collector out;
        merge.release(100, out);
        REQUIRE(out.keys.size() == records.size());
        for (std::size_t i = 0; i < records.size(); ++i) REQUIRE(out.keys[i] == records[i].key);
    }
}

TEST_CASE("a connection's uid is computed when its record comes in") {
    RecordMerge merge(IdKey::from_seed(1));
    ConnRecord r;
    r.key.time = 1;
    r.id = {IpAddress::from_v4(10, 0, 0, 1), 1, IpAddress::from_v4(10, 0, 0, 2), 2};
    merge.add(r, {});
    Collector out;
    merge.release(2, out);
    CHECK(out.keys[0].uid == connection_uid(IdKey::from_seed(1), {r.id.orig_h, r.id.resp_h, 1, 2, 0, 0, 0, 0}));
}

TEST_CASE("what comes too late is released all the same, and counted") {
    RecordMerge merge({});
    Collector out;
    merge.add(ftp_at(10, 0, 1, 0), {}, 0);
    merge.release(20, out);
    merge.add(ftp_at(5, 0, 1, 0), {}, 0);
    merge.release(20, out);
    CHECK(out.keys.size() == 2);
    CHECK(merge.late() == 1);
}

TEST_CASE("what is told of a connection once it is announced is not late, what came after its time is") {
    RecordMerge merge({});
    Collector out;
    merge.add(ftp_at(10, 0, 1, 0), {}, 0);
    merge.release(20, out);
    FtpRecord opened = ftp_at(5, 0, 2, 0);
    opened.kind = FtpRecordKind::data_open;
    opened.logged = false;
    opened.told = 25; // when it was announced
    merge.add(opened, {}, 0);
    merge.release(20, out);
    merge.add(ftp_at(15, 0, 1, 1), {}, 0);
    merge.release(20, out);
    CHECK(out.keys.size() == 3);
    CHECK(merge.late() == 0);
    opened.told = 15; // the logger had not waited for it
    merge.add(opened, {}, 0);
    CHECK(merge.late() == 1);
}
