// The table of figures: names by Prometheus' conventions, each documented in docs/fields.md, none missing.
#include "daemon/stats/figures.h"
#include "tests/support/catch.h"

#include <fstream>
#include <set>
#include <sstream>

using namespace ftpsensor;

namespace {

std::string fields_document() {
    std::ifstream file(FTPSENSOR_FIELDS);
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

template <class Row>
void check_scope(const char* scope, std::span<const Figure<Row>> figures, const std::string& documented) {
    std::set<std::string_view> names;
    for (const auto& figure : figures) {
        INFO(scope << " " << figure.name);
        CHECK(names.insert(figure.name).second);
        CHECK(figure.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
        CHECK_FALSE(figure.name.ends_with("_total")); // which the metrics add themselves
        CHECK(figure.help.ends_with('.'));
        CHECK(documented.find("| `" + std::string(figure.name) + "` |") != std::string::npos);
    }
}

} // namespace

TEST_CASE("every figure has a name of its own, help, and a line in docs/fields.md") {
    const std::string documented = fields_document();
    check_scope("port", port_figures(), documented);
    check_scope("queue", queue_figures(), documented);
    check_scope("worker", worker_figures(), documented);
    check_scope("ring", ring_figures(), documented);
    check_scope("log", log_figures(), documented);
    check_scope("event", event_figures(), documented);
    check_scope("sensor", sensor_figures(), documented);
    check_scope("totals", total_figures(), documented);
}
