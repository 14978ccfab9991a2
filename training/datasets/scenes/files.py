"""One scene on disk: the video, its true partner sound and a still picture, under one stem."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import soundfile
from PIL import Image

from training.datasets.scenes.picture import FRAME_RATE_HZ, render_frames, render_still
from training.datasets.scenes.scene import SceneParameters
from training.datasets.scenes.sound import render_sound
from training.datasets.scenes.video_file import write_video


@dataclass(frozen=True, slots=True)
class ScenePaths:
    """Where the three files of a scene lie.

    Attributes:
        video: ``video/<kind>/<stem>.mp4``, picture and sound.
        audio: ``audio/<kind>/<stem>.flac``, the same sound without loss.
        image: ``image/<kind>/<stem>.png``, one telling moment.
    """

    video: Path
    audio: Path
    image: Path

    def complete(self) -> bool:
        """Whether all three files are there; each appears only when it is whole."""
        return self.video.is_file() and self.audio.is_file() and self.image.is_file()


def scene_paths(scene: SceneParameters, folder: Path) -> ScenePaths:
    """Say where a scene is written in a data set folder."""
    return ScenePaths(
        video=folder / "video" / scene.kind / f"{scene.stem}.mp4",
        audio=folder / "audio" / scene.kind / f"{scene.stem}.flac",
        image=folder / "image" / scene.kind / f"{scene.stem}.png",
    )


def write_scene(scene: SceneParameters, folder: Path) -> ScenePaths:
    """Render a scene and write its files; the same scene gives the same bytes.

    Args:
        scene: The numbers.
        folder: The data set folder; sub-folders are made as needed.

    Returns:
        The three paths.
    """
    paths = scene_paths(scene, folder)
    frames = render_frames(scene)
    still = render_still(scene)
    samples, sample_rate_hz = render_sound(scene)
    _write_whole(paths.image, lambda path: Image.fromarray(still).save(path, format="PNG"))
    _write_whole(
        paths.audio,
        lambda path: soundfile.write(
            path, samples, sample_rate_hz, format="FLAC", subtype="PCM_16"
        ),
    )
    _write_whole(
        paths.video,
        lambda path: write_video(
            path, frames, samples, frame_rate_hz=FRAME_RATE_HZ, sample_rate_hz=sample_rate_hz
        ),
    )
    return paths


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write under another name and rename, so that a broken run leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
