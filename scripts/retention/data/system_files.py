"""What systems, editors and programs that copy leave beside images, told by names alone."""

import re

# Files and folders, in small letters.
LEFT_BY_SYSTEMS = {
    *("@eadir", "#recycle", "#snapshot", "~snapshot", "@recycle", "@recently-snapshot", "@tmp"),
    *("@__thumb", "@sharebin", "__macosx", "__pycache__", "lost+found", "lost.dir", "$recycle.bin"),
    *("system volume information", "network trash folder", "temporary items", "_gsdata_"),
    *("thevolumesettingsfolder", "_vti_cnf", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
    *("zbthumbnail.info", "pspbrwse.jbf", "descript.ion", "sync.ffs_db", "sync.ffs_lock"),
}
# So written alone: in small letters it may be a class. RECYCLED is one of waste, too.
WRITTEN_SO = {"RECYCLER", ".ipynb_checkpoints"}
# Hidden names of systems. A table may name images in other hidden folders on purpose.
HIDDEN = re.compile(
    r"\._.*|\.apple(double|desktop|db)|\.trash(es|-\d+)?|\.fseventsd|\.spotlight-v100|\.ds_store|\.(zfs|snapshots?)"
    r"|\.documentrevisions-v100|\.temporaryitems|\.thumbnails|\.picasaoriginals|\.@__thumb|\.st(versions|folder)"
    r"|\.dropbox\.cache|\.sync|\.nfs[0-9a-f]+|\.~lock\..*",
    re.IGNORECASE,
)
# Streams that Windows and macOS keep of a file; WSL writes their colon as U+F03A, zip programs otherwise.
STREAM = re.compile(
    r".*(?:[:\uf03a](smartscreen|encryptable|afp_afpinfo|afp_resource|com\.apple\.\w.*)|(zone\.identifier))(:\$data)?",
    re.IGNORECASE,
)
# Ends of files that are written at the moment, kept for later, or not fetched yet.
UNFINISHED = (
    *("~", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".opdownload"),
    *(".download", ".aria2", ".icloud", ".swp", ".ffs_tmp", ".!ut", ".!sync", ".!qb"),
)


def left_by_system(name: str) -> str:
    """Return what a file or folder of this name is counted as where a system left it, "" for another."""
    if (
        name.lower() in LEFT_BY_SYSTEMS
        or name in WRITTEN_SO
        or re.fullmatch(r"found\.\d{3}", name.lower())
    ):
        return name.strip()
    if "@Syno" in name:  # a NAS keeps attributes of a file so, beside it
        return "@Syno…"
    return ""


def left_over(name: str) -> str:
    """Return what a file of this name is counted as where a system or a program left it, "" for another.

    A folder may be called so and hold images.
    """
    if kind := left_by_system(name):
        return kind
    if stream := STREAM.fullmatch(name):
        return f":{stream.group(1) or stream.group(2)}"
    if name.startswith("~$"):
        return "~$…"
    if re.fullmatch(r"synctoy_.*\.dat", name.lower()):
        return "SyncToy_…"
    return next((end for end in UNFINISHED if name.lower().endswith(end)), "")


def hidden_by_system(name: str) -> bool:
    """Return whether a hidden file or folder is one that systems make."""
    return HIDDEN.fullmatch(name) is not None
