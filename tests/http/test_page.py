"""The page for people: its parts are served, from here alone."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "service" / "web"


def test_the_page_and_its_parts_are_served(client):
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    for address in re.findall(r'(?:href|src)="(/[^"]*)"', page.text):
        assert client.get(address).status_code == 200, address


def test_nothing_comes_from_another_host(client):
    for address in ("/", "/web/page.css", "/web/page.js", "/docs"):
        text = client.get(address).text
        assert not re.search(r"(?:https?:)?//(?!www\.w3\.org)[\w.]+\.\w+", text), address
    assert "cdn" not in client.get("/docs").text


def test_the_page_may_only_load_from_its_own_host(client):
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_no_script_or_style_is_written_into_the_page():
    html = (WEB / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html)


def test_swagger_is_served_from_here(client):
    html = client.get("/docs").text
    for address in re.findall(r'(?:href|src)="([^"]+)"', html):
        assert client.get(address).status_code == 200, address


def test_every_element_that_the_script_asks_for_is_in_the_page():
    html = (WEB / "index.html").read_text(encoding="utf-8")
    script = (WEB / "page.js").read_text(encoding="utf-8")
    assert set(re.findall(r'byId\("([\w-]+)"\)', script)) <= set(re.findall(r'id="([\w-]+)"', html))


def test_every_control_has_a_label():
    html = (WEB / "index.html").read_text(encoding="utf-8")
    for identifier in re.findall(r'<(?:input|textarea|select)[^>]*\bid="([\w-]+)"', html):
        wrapped = re.search(rf'<label[^>]*>(?:(?!</label>).)*id="{identifier}"', html, re.DOTALL)
        assert wrapped or f'for="{identifier}"' in html, identifier


def test_the_script_never_sets_markup():
    script = (WEB / "page.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_script_parses():
    run = subprocess.run(
        ["node", "--check", "--input-type=module", "-"],
        input=(WEB / "page.js").read_bytes(),
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_health_spaces_and_version(client):
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").json() == {"status": "ok"}
    spaces = {space["name"]: space for space in client.get("/spaces").json()}
    assert set(spaces) == {"everyday", "songs"}
    views = {view["modality"]: view["items"] for view in spaces["everyday"]["views"]}
    assert views == {"audio": 24, "image": 24, "video": 24}
    assert len(spaces["songs"]["pairs"]) == 9
    assert all(len(space["fingerprint"]) == 16 for space in spaces.values())
