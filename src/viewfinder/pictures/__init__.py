"""Pictures: reading and writing pixels, video frames, drawing, and the one geometry.

    reading   pictures, depth maps, masks and instance maps from files; the only reader there is
    writing   the same to files, whole or not at all
    geometry  boxes, the one 3×3 matrix, and the one resampling that follows it
    video     frames from a video and to one
    drawing   boxes on a picture, and sheets of pictures for a person to look at

Import the modules themselves: `geometry` needs neither Pillow nor PyAV, and does not load them.
"""
