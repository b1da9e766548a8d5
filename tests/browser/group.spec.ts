import { type Browser, type Page, expect, test } from "@playwright/test";

import { Daemon } from "./daemon.ts";
import { TOPIC, agree, expectStatus, joinMeeting, openBrowser, openPage, press, signIn } from "./people.ts";

let browser: Browser;
let daemon: Daemon;

test.beforeAll(async () => {
  browser = await openBrowser();
});
test.beforeEach(async () => {
  daemon = await Daemon.start({ port: 8443 });
});
test.afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await daemon.stop();
});
test.afterAll(() => browser.close());

test("a guest by a link makes three in a call, and is out for good once removed", async () => {
  test.slow();
  const { mentor, student } = await together();
  await press(mentor, "People");
  const people = mentor.getByRole("complementary", { name: "People" });
  await people.getByRole("button", { name: "Invite a guest" }).click();
  const link = await makeLink(mentor, "5 people");
  await expect(mentor.getByRole("list", { name: "Open links" })).toContainText("For 5 more people");
  await mentor.keyboard.press("Escape");
  await expect(mentor.getByRole("dialog")).toHaveCount(0);
  await expect(people, "Escape closed the dialog alone").toBeVisible();

  const guest = await openPage(browser);
  await follow(guest, link, "Gil Guest");
  await expect(guest).toHaveURL(/\/video-call\?session=/);
  await guest.getByRole("button", { name: "Join now" }).click();
  await expect(guest.getByRole("heading", { name: "Somebody will let you in soon" })).toBeVisible();
  await people.getByRole("button", { name: "Admit Gil Guest" }).click();
  for (const page of [mentor, student, guest]) {
    await expectStatus(page, "connected");
    await expect.poll(() => playing(page), "two moving pictures").toBe(2);
  }
  await press(student, "People");
  await expect(student.getByRole("button", { name: "Invite a guest" }), "not for students").toHaveCount(0);
  await press(guest, "People");
  await expect(guest.getByRole("button", { name: "Invite a guest" }), "not for guests").toHaveCount(0);

  const row = people.getByRole("listitem").filter({ hasText: "Gil Guest" });
  await row.getByRole("button", { name: "Manage Gil Guest" }).click();
  await row.getByRole("button", { name: "Remove…" }).click();
  await row.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(guest.getByRole("heading", { name: "You were removed from the meeting" })).toBeVisible();
  await expect(guest.getByRole("button"), "there is no way back").toHaveCount(0);
  for (const page of [mentor, student]) await expect.poll(() => playing(page)).toBe(1);

  const again = await openPage(browser);
  await follow(again, link, "Gil Guest");
  await expect(again.getByRole("heading", { name: "This link lets nobody in" })).toBeVisible();
});

test("a colleague who was added makes four, and who moderates hands that on", async () => {
  test.slow();
  const { mentor, student } = await together();
  const guest = await openPage(browser);
  await press(mentor, "People");
  const people = mentor.getByRole("complementary", { name: "People" });
  await people.getByRole("button", { name: "Invite a guest" }).click();
  await follow(guest, await makeLink(mentor, "1 person"), "Gil Guest");
  await expect(mentor.getByRole("dialog").getByText("There are none."), "it was for one").toBeVisible();
  await mentor.getByRole("button", { name: "Close", exact: true }).click();
  await guest.getByRole("button", { name: "Join now" }).click();
  await people.getByRole("button", { name: "Admit Gil Guest" }).click();

  const admin = await openPage(browser);
  await signIn(admin, daemon.url, "ada");
  await addMember(admin, "ada", "Mentor");
  await joinMeeting(admin, TOPIC);
  for (const page of [mentor, student, guest, admin]) {
    await expectStatus(page, "connected");
    await expect.poll(() => playing(page), "three moving pictures").toBe(3);
  }

  const row = people.getByRole("listitem").filter({ hasText: "Ada Admin" });
  await expect(row).toContainText("Moderator");
  await row.getByRole("button", { name: "Manage Ada Admin" }).click();
  await row.getByRole("button", { name: "Take moderator role away" }).click();
  await expect(row).not.toContainText("Moderator");
  await expect(admin.getByRole("button", { name: "End for everyone" })).toHaveCount(0);
  await press(admin, "Leave");
  for (const page of [mentor, student, guest]) await expect.poll(() => playing(page)).toBe(2);
  await press(mentor, "End for everyone");
  for (const page of [student, guest]) await expect(page.getByRole("heading", { name: "The meeting has ended" })).toBeVisible();
});

test("a guest who comes back finds their one meeting, and nothing that is not theirs", async () => {
  const { mentor } = await agreed();
  await card(mentor).getByRole("button", { name: "Invite a guest" }).click();
  const link = await makeLink(mentor, "2 people");
  const guest = await openPage(browser);
  await guest.goto(link);
  await expect(guest, "the token is no longer in the address").toHaveURL(`${daemon.url}/join`);
  await guest.getByLabel("Your name").fill("Mara Mentor");
  await guest.getByRole("button", { name: "Continue" }).click();
  await expect(guest.getByRole("alert")).toContainText("Give your own name");
  await guest.getByLabel("Your name").fill("Gil Guest");
  await guest.getByRole("button", { name: "Continue" }).click();
  await expect(guest.getByRole("button", { name: "Join now" })).toBeVisible();

  await guest.reload();
  await expect(guest.getByRole("button", { name: "Join now" }), "the login stays").toBeVisible();
  await guest.goto(daemon.url);
  await expect(card(guest).getByText("Join video meeting")).toBeVisible();
  await expect(guest.getByRole("button", { name: /Invite|Request/ })).toHaveCount(0);
  await expect(guest.getByText("People", { exact: false })).toHaveCount(0);

  await mentor.getByRole("button", { name: /^Take back/ }).click();
  await expect(mentor.getByRole("dialog").getByText("There are none.")).toBeVisible();
  await expect(mentor.getByLabel("The link", { exact: true }), "nobody is to hand it on").toHaveCount(0);
  const late = await openPage(browser);
  await follow(late, link, "Late");
  await expect(late.getByRole("heading", { name: "This link lets nobody in" })).toBeVisible();
});

test("a link is copied, or selected where the clipboard is out of reach", async () => {
  const { mentor } = await agreed();
  await mentor.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await card(mentor).getByRole("button", { name: "Invite a guest" }).click();
  const link = await makeLink(mentor, "1 person");
  await expect(mentor.getByRole("button", { name: "Copy" }), "what comes next is at hand").toBeFocused();
  await mentor.keyboard.press("Enter");
  await expect(mentor.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await mentor.evaluate(() => navigator.clipboard.readText())).toBe(link);

  await mentor.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await mentor.getByRole("button", { name: "Copied" }).click();
  await expect(mentor.getByText("The link is selected")).toBeVisible();
  const field = mentor.getByLabel("The link", { exact: true });
  expect(await field.evaluate((input: HTMLInputElement) => input.value.slice(input.selectionStart ?? 0, input.selectionEnd ?? 0))).toBe(link);
});

test("whoever is signed in follows a link as who they are", async () => {
  const { mentor } = await agreed();
  await card(mentor).getByRole("button", { name: "Invite a guest" }).click();
  const link = await makeLink(mentor, "1 person");
  const admin = await openPage(browser);
  await signIn(admin, daemon.url, "ada");
  await admin.goto(link);
  await expect(admin.getByLabel("Your name")).toHaveCount(0);
  await admin.getByRole("button", { name: "Join as Ada Admin" }).click();
  await expect(admin.getByRole("button", { name: "Join now" })).toBeVisible();
});

test("the mentor adds somebody to a session, and removes them after a second thought", async () => {
  const { mentor, student } = await agreed();
  await addMember(mentor, "nobody", "Student");
  await expect(card(mentor).getByRole("alert")).toContainText("nobody of that username");
  await expect(card(mentor).getByLabel("Username"), "what was typed stays").toHaveValue("nobody");
  await addMember(mentor, "ada", "Mentor");
  await card(mentor).getByRole("button", { name: "Remove Ada Admin" }).click();
  const question = card(mentor).getByRole("group", { name: "Remove Ada Admin from this session?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  await card(mentor).getByRole("button", { name: "Remove Ada Admin" }).click();
  await question.getByRole("button", { name: "Remove" }).click();
  await expect(card(mentor).getByText("Ada Admin")).toHaveCount(0);
  await expect(card(student).getByText("Invite a guest")).toHaveCount(0);
  await expect(card(student).getByText("People", { exact: true })).toHaveCount(0);
});

/** Mentor and student before their call. */
async function agreed(): Promise<{ mentor: Page; student: Page }> {
  const [mentor, student] = [await openPage(browser), await openPage(browser)];
  await signIn(mentor, daemon.url, "mara");
  await signIn(student, daemon.url, "stu");
  await agree(mentor, student, TOPIC);
  return { mentor, student };
}

/** Mentor and student in their call. */
async function together(): Promise<{ mentor: Page; student: Page }> {
  const { mentor, student } = await agreed();
  await joinMeeting(mentor, TOPIC);
  await expectStatus(mentor, "waiting");
  await joinMeeting(student, TOPIC);
  await expectStatus(student, "connected");
  return { mentor, student };
}

/** The link that the open dialog makes. */
async function makeLink(page: Page, people: string): Promise<string> {
  const dialog = page.getByRole("dialog", { name: "Invite a guest" });
  await dialog.getByLabel("For how many").selectOption({ label: people });
  await dialog.getByLabel("Valid for").selectOption({ label: "a week" });
  await dialog.getByRole("button", { name: "Make a link" }).click();
  return dialog.getByLabel("The link", { exact: true }).inputValue();
}

async function follow(page: Page, link: string, name: string): Promise<void> {
  await page.goto(link);
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Continue" }).click();
}

async function addMember(page: Page, username: string, role: string): Promise<void> {
  const field = card(page).getByLabel("Username");
  if (!(await field.isVisible())) await card(page).locator("summary").click();
  await field.fill(username);
  await card(page).getByLabel("Role").selectOption({ label: role });
  await card(page).getByRole("button", { name: "Add", exact: true }).click();
}

function card(page: Page) {
  return page.getByRole("list", { name: "Sessions" }).locator("> li").filter({ hasText: TOPIC });
}

/** How many of the others' cameras show new pictures. */
function playing(page: Page): Promise<number> {
  return page.getByTestId("remote-camera").evaluateAll(async (elements) => {
    const frames = () => (elements as HTMLVideoElement[]).map((video) => video.getVideoPlaybackQuality().totalVideoFrames);
    const before = frames();
    await new Promise((resolve) => setTimeout(resolve, 700));
    return frames().filter((count, index) => count > (before[index] ?? 0)).length;
  });
}
