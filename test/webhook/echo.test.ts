import { describe, expect, it } from "vitest";
import { withoutEchoes } from "../../src/webhook/echo.ts";

const CONTENT = {
  url: "https://app.example/hooks/tok_1234567890abcdef?key=PlantedQueryValue&page=2",
  headers: { authorization: "Bearer PlantedToken", "x-team": "blue", cookie: "session=PlantedCookie; a=b" },
};

const clean = (text: string): string => withoutEchoes(text, CONTENT);

describe("a receiver's answer", () => {
  it.each([
    ["a whole header", '{"authorization":"Bearer PlantedToken"}', '{"authorization":"[redacted]"}'],
    ["a header's part", "token PlantedToken refused", "token [redacted] refused"],
    ["a cookie's part", "session PlantedCookie", "session [redacted]"],
    ["the URL's path", "Cannot POST /hooks/tok_1234567890abcdef", "Cannot POST /hooks/[redacted]"],
    ["the URL's query", "key=PlantedQueryValue&page=2", "key=[redacted]&page=2"],
    ["one that is cut off", "you sent Bearer PlantedTo", "you sent [redacted]"],
    ["several", "PlantedToken PlantedToken", "[redacted] [redacted]"],
  ])("does not show %s", (_, text, shown) => {
    expect(clean(text)).toBe(shown);
  });

  it("is kept as it is where nothing of that stands in it", () => {
    const text = "the blue team is deploying /hooks, page 2";
    expect(clean(text)).toBe(text);
  });
});
