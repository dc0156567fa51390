//! What is free in the carrier's pool: by country, kind and pattern.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use serde_json::json;
use support::things::operate;
use support::{Answer, Api, OTHER_SID, OTHER_TOKEN, request};

/// An account `pooled` of a carrier with such a pool, its token.
async fn with_pool(api: &Api, numbers: &[&str]) -> (String, String) {
    let carrier = json!({"id": "pool", "number_pool": numbers});
    operate(api, "/operator/v1/carriers", &carrier.to_string()).await;
    let account = json!({"carrier": "pool", "name": "pooled"});
    let made = operate(api, "/operator/v1/accounts", &account.to_string()).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("auth_token"))
}

const POOL: &[&str] = &[
    "+8562055500001",
    "+8562055500002",
    "+8562055500003",
    "+85621222333",
    "+14155550123",
    "+18005550123",
    "1294",
];

struct Shop(Api, String, String);

impl Shop {
    async fn open(pool: &[&str]) -> Self {
        let api = Api::new();
        let (sid, token) = with_pool(&api, pool).await;
        Self(api, sid, token)
    }

    async fn get(&self, path: &str) -> Answer {
        let Self(api, sid, token) = self;
        let path = match path.starts_with("/2010") {
            true => path.to_owned(),
            false => format!("/2010-04-01/Accounts/{sid}/AvailablePhoneNumbers{path}"),
        };
        api.send(request("GET", &path, "", (sid, token))).await
    }

    async fn numbers(&self, path: &str) -> Vec<String> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path} {answer:?}");
        let rows = answer.json["available_phone_numbers"].as_array().unwrap();
        let numbers = rows.iter().map(|row| row["phone_number"].as_str().unwrap());
        numbers.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn numbers_are_found_by_country_kind_and_pattern() {
    let shop = Shop::open(POOL).await;
    const MOBILE: [&str; 3] = ["+8562055500001", "+8562055500002", "+8562055500003"];
    let none: [&str; 0] = [];
    for (path, expected) in [
        ("/LA/Mobile.json", &MOBILE[..]),
        ("/LA/Local.json", &["+85621222333"]),
        ("/LA/TollFree.json", &none),
        ("/US/Local.json", &["+14155550123"]),
        ("/US/TollFree.json", &["+18005550123"]),
        ("/CA/Local.json", &none),
        ("/LA/Mobile.json?Contains=5000*2", &MOBILE[1..2]),
        ("/LA/Mobile.json?Contains=%2B85620", &MOBILE),
        ("/LA/Mobile.json?Contains=%2B20", &none),
        ("/LA/Mobile.json?AreaCode=205", &MOBILE),
        ("/LA/Mobile.json?AreaCode=21", &none),
        (
            "/US/Local.json?AreaCode=415&VoiceEnabled=true",
            &["+14155550123"],
        ),
        ("/LA/Mobile.json?VoiceEnabled=false", &none),
        ("/LA/Mobile.json?SmsEnabled=true", &none),
        ("/LA/Mobile.json?MmsEnabled=true", &none),
        ("/LA/Mobile.json?FaxEnabled=true", &none),
        ("/LA/Mobile.json?SmsEnabled=false&Beta=false", &MOBILE),
        ("/LA/Mobile.json?ExcludeAllAddressRequired=true", &MOBILE),
        (
            "/LA/Mobile.json?ExcludeLocalAddressRequired=true&ExcludeForeignAddressRequired=true",
            &MOBILE,
        ),
    ] {
        assert_eq!(shop.numbers(path).await, expected, "{path}");
    }
    let index = shop.get(".json").await;
    let countries = index.json["countries"].as_array().unwrap();
    let countries: Vec<_> = countries
        .iter()
        .map(|one| {
            (
                one["country_code"].as_str().unwrap(),
                one["subresource_uris"].as_object().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(countries, [("LA", 2), ("US", 2)]);
}

#[tokio::test]
async fn pages_lead_through_all_of_them() {
    let shop = Shop::open(POOL).await;
    let mut path = "/LA/Mobile.json?PageSize=2&Contains=555".to_owned();
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        seen.extend(shop.numbers(&path).await);
        pages += 1;
        let next = shop.get(&path).await.json["next_page_uri"].clone();
        let Some(next) = next.as_str() else { break };
        assert!(next.contains("Contains=555"), "{next}");
        path = next.to_owned();
    }
    assert_eq!((pages, seen.len()), (2, 3), "{seen:?}");
    seen.dedup();
    assert_eq!(seen.len(), 3);
    let first = shop.get(".json?PageSize=1").await;
    let next = first.json["next_page_uri"].as_str().unwrap();
    let second = shop.get(next).await;
    assert_eq!(second.json["countries"][0]["country_code"], "US");
    assert_eq!(second.json["next_page_uri"], json!(null));
}

#[tokio::test]
async fn what_is_taken_is_free_no_more_and_other_carriers_have_their_own() {
    let shop = Shop::open(&["+8562055500001"]).await;
    let Shop(api, sid, token) = &shop;
    let path = format!("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json");
    let form = "PhoneNumber=%2B8562055500001";
    let taken = api.send(request("POST", &path, form, (sid, token))).await;
    assert_eq!(
        (taken.status.as_u16(), &taken.json["type"]),
        (201, &json!("mobile"))
    );
    assert!(shop.numbers("/LA/Mobile.json").await.is_empty());
    let country = shop.get("/LA.json").await;
    assert_eq!(country.problem(), (404, 20404), "none is left");
    let elsewhere =
        format!("/2010-04-01/Accounts/{OTHER_SID}/AvailablePhoneNumbers/LA/Mobile.json");
    let other = request("GET", &elsewhere, "", (OTHER_SID, OTHER_TOKEN));
    let other = api.send(other).await;
    assert_eq!(other.json["available_phone_numbers"], json!([]));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told() {
    let shop = Shop::open(POOL).await;
    for path in [
        "/ZZ/Local.json",
        "/la/Local.json",
        "/LA/Fixed.json",
        "/LAO.json",
        "/LA",
    ] {
        assert_eq!(shop.get(path).await.problem(), (404, 20404), "{path}");
    }
    for (query, words) in [
        ("Contains=5%25", "`Contains` must be"),
        ("Contains=1234567890123456", "1 to 15"),
        ("AreaCode=4a5", "`AreaCode`"),
        ("AreaCode=123456789", "1 to 8 digits"),
        ("SmsEnabled=yes", "`SmsEnabled` must be"),
        ("Beta=1", "`Beta` must be"),
        ("InRegion=CA", "`InRegion` is not supported"),
        ("PageToken=x", "`PageToken`"),
    ] {
        let answer = shop.get(&format!("/LA/Local.json?{query}")).await;
        assert_eq!(answer.problem(), (400, 20001), "{query}");
        assert!(answer.message().contains(words), "{}", answer.message());
    }
}

#[tokio::test]
async fn numbers_are_taken_by_area_and_listed_by_kind() {
    let shop = Shop::open(POOL).await;
    let Shop(api, sid, token) = &shop;
    let root = format!("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers");
    let take = async |list: &str, form: &str| {
        let path = format!("{root}{list}.json");
        api.send(request("POST", &path, form, (sid, token))).await
    };
    let mobile = ["+8562055500001", "+8562055500002", "+8562055500003"];
    for number in mobile {
        let taken = take("", "AreaCode=20555&VoiceUrl=http://a/").await;
        assert_eq!(taken.status, 201, "{taken:?}");
        assert_eq!(taken.json["phone_number"], number);
        assert_eq!(taken.json["voice_url"], "http://a/");
    }
    assert_eq!(take("", "AreaCode=20555").await.problem(), (400, 21452));
    for (list, form, code) in [
        ("/Mobile", "PhoneNumber=%2B14155550123", 21458),
        ("/TollFree", "PhoneNumber=%2B14155550123", 21458),
        ("/Local", "PhoneNumber=1294", 21458),
        ("/Local", "PhoneNumber=%2B14155550199", 21422),
        ("/Local", "AreaCode=415", 21457),
        ("/Local", "", 21421),
        ("", "AreaCode=123456789", 21451),
        ("", "AreaCode=415&PhoneNumber=%2B14155550123", 20001),
    ] {
        let answer = take(list, form).await;
        assert_eq!(answer.problem(), (400, code), "{list} {form}");
    }
    assert_eq!(
        take("/Local", "PhoneNumber=%2B14155550123").await.status,
        201
    );
    let free = take("/TollFree", "PhoneNumber=%2B18005550123").await;
    assert_eq!(free.status, 201, "{free:?}");
    for (list, expected) in [
        ("", 5),
        ("/Local", 1),
        ("/Mobile", 3),
        ("/TollFree", 1),
        ("/Mobile.json?PhoneNumber=500002", 1),
    ] {
        let list = match list.contains('?') {
            true => format!("{root}{list}"),
            false => format!("{root}{list}.json"),
        };
        let answer = api.send(request("GET", &list, "", (sid, token))).await;
        let rows = answer.json["incoming_phone_numbers"].as_array().unwrap();
        assert_eq!(rows.len(), expected, "{list}");
    }
    let first = format!("{root}/Mobile.json?PageSize=2");
    let first = api.send(request("GET", &first, "", (sid, token))).await;
    let next = first.json["next_page_uri"].as_str().unwrap();
    assert!(next.contains("/IncomingPhoneNumbers/Mobile.json"), "{next}");
    let second = api.send(request("GET", next, "", (sid, token))).await;
    let rows = second.json["incoming_phone_numbers"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
}
