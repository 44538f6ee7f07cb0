"""The catalogue of rewards: what the programme offers, who sees it, and how many pieces are left."""

from tests.support.receipts import member
from tests.support.redemption import Spending
from tests.support.registries import bearing
from tests.support.rewards import COFFEE, Catalogue, programme, slug, terms

ANNA = member(1)


async def test_what_the_catalogue_says(catalogue: Catalogue) -> None:
    client = catalogue.client
    said = terms(titles={"en": "Tea", "de": "Tee"}, categories=["hot"], pictures=["https://cdn.example/tea.png"])
    await catalogue.offer("tea", **said, cost_minor=90)
    await catalogue.offer("water", is_withdrawn=True)
    again = await client.post("/v1/rewards", json={"reward_id": "tea", "terms": said}, headers=programme())
    assert slug(again) == (409, "reward-exists")
    strangers = said | {"partner_id": "nobody"}
    assert (
        await client.post("/v1/rewards", json={"reward_id": "x", "terms": strangers}, headers=programme())
    ).status_code == 422
    read = await client.get("/v1/rewards/tea", headers=programme())
    assert (read.headers["ETag"], read.json()["titles"]["de"], read.json()["cost_minor"]) == ('"1"', "Tee", 90)
    listed = await client.get("/v1/rewards?offered=true", headers=programme())
    assert [(each["reward_id"], each["is_left"]) for each in listed.json()["items"]] == [("tea", True)]
    assert (await client.get("/v1/rewards?category=cold", headers=programme())).json()["items"] == []

    changed = {"terms": said | {"supply": "unlimited", "points": 120}}
    stale = await client.put("/v1/rewards/tea", json=changed, headers=programme() | {"If-Match": '"7"'})
    assert stale.status_code == 412
    put = await client.put("/v1/rewards/tea", json=changed, headers=programme() | {"If-Match": '"1"'})
    assert (put.headers["ETag"], put.json()["points"]) == ('"2"', 120)
    fixed = {"terms": said | {"supply": "pieces"}}
    put = await client.put("/v1/rewards/tea", json=fixed, headers=programme() | {"If-Match": '"2"'})
    assert slug(put) == (409, "reward-supply-fixed")
    limited = await client.post("/v1/rewards/tea/pieces:add", json={"count": 1}, headers=programme())
    assert slug(limited) == (409, "reward-not-limited")


async def test_a_partner_sees_its_own_rewards_alone_and_keeps_none(catalogue: Catalogue, spending: Spending) -> None:
    await spending.enrol(ANNA, 200)
    await catalogue.offer(pieces=3, cost_minor=90)
    voucher_id = (await catalogue.issued(ANNA))["voucher_id"]
    own = bearing("rewards:read", client_id="g", partner_id="grocer")
    other = bearing("rewards:read", client_id="f", partner_id="fuel")
    for path, name in ((f"/v1/rewards/{COFFEE}", "unknown-reward"), (f"/v1/vouchers/{voucher_id}", "unknown-voucher")):
        assert (await catalogue.client.get(path, headers=own)).status_code == 200
        assert slug(await catalogue.client.get(path, headers=other)) == (404, name)
    assert (await catalogue.client.get(f"/v1/rewards/{COFFEE}", headers=own)).json()["cost_minor"] is None
    for headers, count in ((own, 1), (other, 0)):
        assert len((await catalogue.client.get("/v1/rewards", headers=headers)).json()["items"]) == count
    writer = bearing("rewards:write", "rewards:issue", client_id="g", partner_id="grocer")
    assert slug(await catalogue.issue(ANNA, headers=writer)) == (403, "programme-only")
    assert slug(await catalogue.cancel(voucher_id, **writer)) == (403, "programme-only")
    changed = await catalogue.client.put(
        f"/v1/rewards/{COFFEE}", json={"terms": terms()}, headers=writer | {"If-Match": '"1"'}
    )
    code = await catalogue.client.get(f"/v1/vouchers/{voucher_id}/code", headers=writer)
    assert {slug(changed), slug(code)} == {(403, "programme-only")}
    delivered = await catalogue.client.post(
        f"/v1/vouchers/{voucher_id}/deliver", json={"channel": "app"}, headers=writer
    )
    assert slug(delivered) == (403, "programme-only")
    confirmed = await catalogue.client.post(
        f"/v1/vouchers/{voucher_id}/confirm", json={"paid_minor": 0}, headers=writer
    )
    brought = await catalogue.client.post(
        f"/v1/rewards/{COFFEE}/codes:import", json={"codes": ["SPRING2026"]}, headers=writer
    )
    assert {slug(confirmed), slug(brought)} == {(403, "programme-only")}
    for path in ("pieces:add", "pieces:remove"):
        made = await catalogue.client.post(f"/v1/rewards/{COFFEE}/{path}", json={"count": 1}, headers=writer)
        assert slug(made) == (403, "programme-only")


async def test_pieces_that_are_left_can_be_taken_away(catalogue: Catalogue, spending: Spending) -> None:
    await spending.enrol(ANNA, 200)
    await catalogue.offer(pieces=3)
    await catalogue.issued(ANNA)
    gone = await catalogue.client.post(f"/v1/rewards/{COFFEE}/pieces:remove", json={"count": 5}, headers=programme())
    assert gone.json() == {"reward_id": COFFEE, "added": 1, "left": 0, "changed": 2}
