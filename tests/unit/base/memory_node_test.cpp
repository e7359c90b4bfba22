// What is said of memory where there is nothing to say, or no such node (memory_policy_test: where it is said).
#include "core/base/memory_node.h"
#include "core/base/table_memory.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

constexpr int kNoNode = 1000;

} // namespace

TEST_CASE("nothing is said of other tables") {
    const TableMemory before(TableMemory::kAlignment);
    { const OnNode here(0); }
    const TableMemory after(TableMemory::kAlignment);
    CHECK_FALSE(preferred_node(before.data()).has_value());
    CHECK_FALSE(preferred_node(after.data()).has_value());
    const OnNode nowhere(-1);
    const TableMemory without(TableMemory::kAlignment);
    CHECK(nowhere.works());
    CHECK_FALSE(preferred_node(without.data()).has_value());
}

TEST_CASE("a node that is not there gives nothing, and says so") {
    CHECK(node_gives_memory(-1));
    const OnNode nowhere(kNoNode), beyond(1 << 20);
    CHECK_FALSE(nowhere.works());
    CHECK_FALSE(beyond.works());
    CHECK_FALSE(node_gives_memory(kNoNode));
    const TableMemory memory(TableMemory::kAlignment); // all the same
    memory.data()[0] = std::byte{1};
}
