// Who makes room, held against a model that looks through all.
#include "core/pipeline/fair_order.h"
#include "tests/support/catch.h"

#include <map>
#include <random>
#include <set>
#include <vector>

using namespace ftpsensor;

namespace {

constexpr std::uint32_t kPlaces = 64;
constexpr std::size_t kRanks = 3;
using Order = FairOrder<kRanks>;

struct Link {
    std::uint32_t next = Order::kNone, previous = Order::kNone;
};

struct Places {
    std::vector<Link> links = std::vector<Link>(kPlaces);
    Link& operator()(std::uint32_t place) { return links[place]; }
};

// Each group's places by rank, the oldest first.
class Model {
public:
    void add(std::uint32_t place, std::uint16_t group, std::size_t rank) {
        groups_[group].by_rank[rank].push_back(place);
        groups_[group].since = ++clock_;
    }
    void remove(std::uint32_t place, std::uint16_t group, std::size_t rank) {
        take_out(place, group, rank);
        groups_[group].since = ++clock_;
    }
    void move(std::uint32_t place, std::uint16_t group, std::size_t from, std::size_t to) {
        take_out(place, group, from);
        groups_[group].by_rank[to].push_back(place);
    }
    std::uint32_t first_to_go() const {
        const Group* most = nullptr;
        for (const auto& [number, group] : groups_)
            if (most == nullptr || std::pair(group.size(), most->since) > std::pair(most->size(), group.since))
                most = &group;
        if (most == nullptr) return Order::kNone;
        for (const auto& places : most->by_rank)
            if (!places.empty()) return places.front();
        return Order::kNone;
    }

private:
    struct Group {
        std::vector<std::uint32_t> by_rank[kRanks];
        std::uint64_t since = 0; // it has had as many as now
        std::size_t size() const { return by_rank[0].size() + by_rank[1].size() + by_rank[2].size(); }
    };
    void take_out(std::uint32_t place, std::uint16_t group, std::size_t rank) {
        std::erase(groups_[group].by_rank[rank], place);
    }
    std::map<std::uint16_t, Group> groups_;
    std::uint64_t clock_ = 0;
};

} // namespace

TEST_CASE("who has most makes room, and of his the lowest rank and the oldest") {
    Order order(kPlaces);
    Places places;
    CHECK(order.first_to_go() == Order::kNone);
    order.add(0, 7, 0, places);
    CHECK(order.first_to_go() == 0);
    order.add(1, 9, 2, places);
    order.add(2, 9, 1, places);
    order.add(3, 9, 1, places);
    CHECK(order.first_to_go() == 2);
    order.move(2, 9, 1, 2, places);
    CHECK(order.first_to_go() == 3);
    order.remove(3, 9, 1, places);
    CHECK(order.first_to_go() == 1);
    order.remove(1, 9, 2, places);
    CHECK(order.first_to_go() == 0); // as many, for longer
    order.remove(0, 7, 0, places);
    CHECK(order.first_to_go() == 2);
    order.remove(2, 9, 2, places);
    CHECK(order.first_to_go() == Order::kNone);
}

TEST_CASE("whatever comes, the model says the same") {
    std::mt19937_64 random(1);
    for (const unsigned groups : {1u, 3u, 20u, 1000u}) {
        CAPTURE(groups);
        Order order(kPlaces);
        Places places;
        Model model;
        struct Where {
            std::uint16_t group;
            std::size_t rank;
        };
        std::map<std::uint32_t, Where> taken;
        std::size_t differences = 0;
        for (int i = 0; i < 20'000; ++i) {
            const auto place = static_cast<std::uint32_t>(random() % kPlaces);
            const std::size_t rank = random() % kRanks;
            const auto found = taken.find(place);
            if (found == taken.end()) {
                const auto group = static_cast<std::uint16_t>(random() % groups * 32);
                order.add(place, group, rank, places);
                model.add(place, group, rank);
                taken[place] = {group, rank};
            } else if (random() % 2 == 0) {
                order.move(place, found->second.group, found->second.rank, rank, places);
                model.move(place, found->second.group, found->second.rank, rank);
                found->second.rank = rank;
            } else {
                order.remove(place, found->second.group, found->second.rank, places);
                model.remove(place, found->second.group, found->second.rank);
                taken.erase(found);
            }
            differences += order.first_to_go() != model.first_to_go();
        }
        CHECK(differences == 0);
    }
}
