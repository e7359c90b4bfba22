// Names that a pattern makes, told from all others: what is not recognised is not removed.
#include "core/log/name_shape.h"
#include "core/log/rotation.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

constexpr Timestamp kMission = 1597559161 * kSecond;
const RotationOptions kDefault;

} // namespace

TEST_CASE("names of the default patterns") {
    CHECK(has_shape("2020-08-16", kDefault.folder_name));
    for (const char* name : {
             "conn_20200816_06:00:00-07:00:00+0000.log.gz",
             "ftp_20200816_06:00:00-07:00:00-0930.log.gz",
             "stats_20200816_06:00:00-07:00:00+0000.log.gz",
             "conn_20200816_06:00:00-07:00:00+0000.1.log.gz",
             "conn_20200816_06:00:00-07:00:00+0000.123.log.gz",
         })
        CHECK(file_has_shape(name, kDefault.file_name));
}

TEST_CASE("names of others") {
    for (const char* name : {"", "2020-08-1", "2020-08-166", "2020-08-16.bak", "x2020-08-16", "2020-O8-16", "keep",
                             "current", "2020_08_16"})
        CHECK_FALSE(has_shape(name, kDefault.folder_name));
    for (const char* name : {
             "",
             "conn.log.gz",
             "conn_20200816.log.gz",
             "conn_20200816_06:00:00-07:00:00+0000.log.gz.bak",
             "conn_20200816_06:00:00-07:00:00+0000.log",
             "conn_20200816_06:00:00-07:00:00+0000.x.log.gz",
             "conn_20200816_06:00:00-07:00:00+0000..log.gz",
             "conn_20200816_06:00:00-07:00:00 0000.log.gz",
             "_20200816_06:00:00-07:00:00+0000.log.g",
             "my-conn_20200816_06:00:00-07:00:00+0000.log.gz",
             "Conn_20200816_06:00:00-07:00:00+0000.log.gz",
             "20200816_06:00:00-07:00:00+0000.log.gz",
         })
        CHECK_FALSE(file_has_shape(name, kDefault.file_name));
}

TEST_CASE("what rotation makes has the shape of its pattern, whatever the pattern") {
    for (const char* folder : {"%Y-%m-%d", "%G week %V", "day %j", "%A, %d %B", "%F", "%s", "100%%"}) {
        for (const char* file : {"{log}_%Y%m%d_{start}-{end}{offset}.log.gz", "{log}.%H%M%S.gz", "%T{log}%z.log.gz",
                                 "%c {log}.gz", "{log}{start}.log.gz"}) {
            CAPTURE(folder, file);
            RotationOptions options;
            options.folder_name = folder;
            options.file_name = file;
            options.time_zone = "Asia/Kolkata";
            const Rotation rotation(options);
            for (const char* log : {"conn", "ftp", "stats"}) {
                const std::string path = rotation.archive_path(log, rotation.interval_of(kMission));
                const auto slash = path.find('/');
                CHECK(has_shape(path.substr(0, slash), folder));
                CHECK(file_has_shape(path.substr(slash + 1), file));
                CHECK(file_has_shape(numbered_path(path, 12).substr(slash + 1), file));
            }
        }
    }
}
