"""Pages in unusual hands: a shared screen played back, H.264, no camera, no autoplay, WHEP, an operator's look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import chromium, eventually, hears_tone, open_page, picture, sees_numbers, start_teaching
from tests.support.media import TONE_HZ
from tests.support.server import Server, make_token

pytestmark = pytest.mark.e2e
WITHIN_S = 40.0  # two cores encode, forward, record and decode here
LESSON_MS = 10_000
MOST_DRIFT_MS = 80

TAUGHT_MS = "() => window.zhuandi.state.now_ms - window.zhuandi.state.since_ms"
# The largest drift of one whole second of playing; large where it did not play throughout.
WORST_DRIFT = """async () => {
  let worst = 0
  const until = performance.now() + 1000
  while (performance.now() < until) {
    await new Promise((go) => setTimeout(go, 40))
    const { playing, waiting, drift_ms } = window.zhuandi.state
    worst = Math.max(worst, playing && !waiting ? drift_ms : 9999)
  }
  return worst
}"""
# A browser without a window plays everything at once; this is the rule of those with one. (What a test asks of the
# page counts as a person's act in `navigator.userActivation`, so clicks are noted here.)
SOUND_NEEDS_A_CLICK = """
  let clicked = false
  addEventListener('pointerdown', () => (clicked = true), true)
  const play = HTMLMediaElement.prototype.play
  HTMLMediaElement.prototype.play = function () {
    const may = this.muted || clicked
    return may ? play.call(this) : Promise.reject(new DOMException('needs a click', 'NotAllowedError'))
  }
"""
TIMES = "() => [...document.querySelectorAll('video')].map((video) => video.currentTime)"


async def classroom_of(browser: Browser, server: Server, lesson: dict[str, Any], name: str = "") -> Page:
    """A classroom's page in the lesson."""
    return await open_page(browser, server.link("classroom", make_token("classroom", lesson["id"], name=name)))


async def test_screen_camera_and_voice_play_together(browser: Browser, server: Server, lesson: dict[str, Any]) -> None:
    teacher = await open_page(browser, server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    await teacher.get_by_test_id("share").click()
    await teacher.get_by_test_id("unshare").wait_for()
    await eventually(lambda: teacher.evaluate(TAUGHT_MS), lambda ms: ms > LESSON_MS, WITHIN_S)
    await teacher.get_by_test_id("end").click()
    await teacher.get_by_test_id("confirm-yes").click()
    manifest = await server.published(lesson["id"], WITHIN_S)
    await teacher.context.close()
    assert {track["source"] for track in manifest["tracks"]} >= {"camera", "screen"}
    voice = manifest["voice_in"]
    assert voice is not None
    player = await open_page(browser, f"{server.url}/watch?id={lesson['id']}#token={make_token('operator', None)}")
    await player.get_by_test_id("big-play").click()
    await plays_together(player, "after play")
    await hears_tone(player, TONE_HZ, WITHIN_S, "audio" if voice == "microphone" else f"video-{voice}")
    await player.get_by_test_id("seek").fill("1")
    await plays_together(player, "after a seek")
    assert (await picture(player, "video-screen") or {"mean": 0})["mean"] > 1


async def plays_together(player: Page, when: str) -> None:
    """Both pictures move, and for a whole second they are as near to the voice as lips need."""
    before = await player.evaluate(TIMES)
    assert len(before) == 2
    worst = await eventually(lambda: player.evaluate(WORST_DRIFT), lambda ms: ms < MOST_DRIFT_MS, WITHIN_S)
    print(f"drift {when}: {worst} ms")
    after = await player.evaluate(TIMES)
    assert all(one != other for one, other in zip(before, after, strict=True)), (before, after)


async def test_a_teacher_with_h264_is_seen(browser: Browser, server: Server, lesson: dict[str, Any]) -> None:
    teacher = await open_page(browser, f"{server.url}/teacher?codec=h264#token={lesson['token']}")
    await start_teaching(teacher)
    classroom = await classroom_of(browser, server, lesson)
    await sees_numbers(classroom, within_s=WITHIN_S)
    used = """async () => [...(await window.zhuandi.pc.getStats()).values()]
      .filter((one) => one.type === 'codec' && one.mimeType.startsWith('video/')).map((one) => one.mimeType)"""
    assert "video/H264" in await classroom.evaluate(used)


async def test_without_permission_for_the_camera_the_voice_is_heard(
    camera_file: Path, microphone_file: Path, server: Server, lesson: dict[str, Any]
) -> None:
    async with chromium(camera_file, microphone_file, without=("--use-fake-ui",)) as browser:
        teacher = await open_page(browser, server.url + "/trust")
        await teacher.context.grant_permissions(["microphone"])
        await teacher.goto(server.link("teacher", lesson["token"]))
        notice = teacher.get_by_test_id("notice")
        await eventually(notice.all_text_contents, lambda said: len(said) == 1 and "摄像头许可" in said[0], WITHIN_S)
        await start_teaching(teacher)
        classroom = await classroom_of(browser, server, lesson)
        await hears_tone(classroom, TONE_HZ, WITHIN_S)
        assert await notice.count() == 1


async def test_where_sound_needs_a_click_one_click_is_enough(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    teacher = await open_page(browser, server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    classroom = await open_page(browser, server.url)
    await classroom.context.add_init_script(SOUND_NEEDS_A_CLICK)
    await classroom.goto(server.link("classroom", make_token("classroom", lesson["id"])))
    prompt = classroom.get_by_test_id("sound-prompt")
    await prompt.wait_for(timeout=WITHIN_S * 1000)
    await prompt.click()
    await prompt.wait_for(state="hidden")
    assert not await classroom.evaluate("""() => document.querySelector('[data-testid="audio"]').paused""")
    await hears_tone(classroom, TONE_HZ, WITHIN_S)


WHEP = """async ([lesson, token]) => {
  const pc = (window.whep = new RTCPeerConnection())
  const stream = new MediaStream()
  pc.addEventListener('track', (event) => stream.addTrack(event.track))
  for (const kind of ['audio', 'video']) pc.addTransceiver(kind, { direction: 'recvonly' })
  await pc.setLocalDescription()
  const answer = await fetch(`/whep/${lesson}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
    body: pc.localDescription.sdp,
  })
  await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
  const video = Object.assign(document.createElement('video'), { muted: true, srcObject: stream })
  video.dataset.testid = 'whep'
  document.body.append(video)
  await video.play()
  return [answer.status, answer.headers.get('Location')]
}"""


async def test_a_browser_plays_by_whep(browser: Browser, server: Server, lesson: dict[str, Any]) -> None:
    teacher = await open_page(browser, server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    page = await open_page(browser, server.url + "/trust")
    status, location = await page.evaluate(WHEP, [lesson["id"], make_token("classroom", lesson["id"])])
    assert status == 201 and location
    await sees_numbers(page, "whep", WITHIN_S)


async def test_the_operator_sees_who_is_there_and_how_much_they_get(
    browser: Browser, server: Server, lesson: dict[str, Any]
) -> None:
    teacher = await open_page(browser, server.link("teacher", lesson["token"]))
    await start_teaching(teacher)
    name = f"school of {lesson['code']}"
    await sees_numbers(await classroom_of(browser, server, lesson, name), within_s=WITHIN_S)
    operator = await open_page(browser, server.link("operator", make_token("operator", None)))
    rows = operator.get_by_test_id("table-row")
    school = rows.filter(has_text=name)
    await eventually(school.all_inner_texts, lambda said: len(said) == 1 and "Mbit/s" in said[0], WITHIN_S)
    sources = rows.filter(has_text=lesson["title"]).filter(has_text="老师")
    await eventually(sources.all_inner_texts, lambda said: any("Mbit/s" in one for one in said), WITHIN_S)
