// ftpsensor.yaml(5) is the table of keys, in roff that shows it as it is.
#include "config/config.h"
#include "config/keys.h"
#include "config/manual.h"
#include "tests/support/catch.h"

#include <sstream>
#include <string>

using namespace ftpsensor;

TEST_CASE("every key has an entry, in its section, with its default") {
    const std::string page = config_manual("1.2.3");
    CHECK(page.find("ftpsensor 1.2.3") != std::string::npos);
    std::size_t at = page.find(".SH KEYS");
    for (const Key& key : all_keys()) {
        INFO(key.path);
        const std::size_t entry = page.find(".TP\n.B " + std::string(key.path) + "\n", at);
        REQUIRE(entry != std::string::npos); // in the order of the table
        at = entry;
    }
    CHECK(page.find(".B workers.count\n") < page.find("\nTakes a number from 1 to 128. Default:\n.BR \"1\" .\n"));
}

TEST_CASE("what roff would take for its own is text: quotes, hyphens, backslashes, a dot first in a line") {
    const std::string page = config_manual("1.0~rc1");
    CHECK(page.find(".BR \"\"\"{log}_%Y%m%d_{start}\\-{end}{offset}.log.gz\"\"\" .") != std::string::npos);
    std::istringstream lines(page.substr(page.find(".SH KEYS")));
    for (std::string line; std::getline(lines, line);) {
        INFO(line);
        for (auto at = line.find('-'); at != std::string::npos; at = line.find('-', at + 1)) {
            REQUIRE(at > 0);
            CHECK(line[at - 1] == '\\');
        }
    }
}
