"""From the RTP log of a lesson to its published files: log -> timeline -> masters -> library."""
