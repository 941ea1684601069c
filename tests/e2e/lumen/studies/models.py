"""An ultrasound study and its states: scheduled, performed (a technologist wrote findings), signed
(a doctor wrote the impression)."""

from django.db import models

LONGEST_TEXT = 4000  # characters of findings or impression


class Study(models.Model):
    class State(models.TextChoices):
        SCHEDULED = "scheduled"
        PERFORMED = "performed"
        SIGNED = "signed"

    number = models.PositiveIntegerField(primary_key=True)
    clinic = models.CharField(max_length=64, db_index=True)
    scheduled_at = models.DateTimeField()
    patient = models.CharField(max_length=128)
    born = models.DateField()
    record_number = models.CharField(max_length=16)
    exam = models.CharField(max_length=128)
    indication = models.CharField(max_length=256)
    state = models.CharField(max_length=16, choices=State.choices, default=State.SCHEDULED)
    findings = models.TextField(max_length=LONGEST_TEXT, blank=True)
    performed_by = models.CharField(max_length=128, blank=True)
    impression = models.TextField(max_length=LONGEST_TEXT, blank=True)
    signed_by = models.CharField(max_length=128, blank=True)
    signed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["scheduled_at", "number"]
