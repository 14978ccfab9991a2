"""Turn MusicXML that is ordered by measure (score-timewise) into one ordered by part."""

import xml.etree.ElementTree as ET


def to_partwise(root: ET.Element) -> ET.Element:
    """Return the same score as ``score-partwise``; the header elements keep their order."""
    score = ET.Element("score-partwise", root.attrib)
    parts: dict[str, ET.Element] = {}
    for child in root:
        if child.tag != "measure":
            score.append(child)
            continue
        for part in child.findall("part"):
            name = part.get("id", "")
            if name not in parts:
                parts[name] = ET.Element("part", id=name)
            measure = ET.SubElement(parts[name], "measure", child.attrib)
            measure.extend(part)
    score.extend(parts.values())
    return score
