"""What a folder of somebody's images and masks is, found out for a training.

`pairs` finds which mask belongs to which image, `meaning` what the values of masks stand for,
`convert` makes masks of what is none yet, and `configuration` writes all of it down.
"""
